{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('order_line_items', [
    ('order_id', 'text', 'orderId'),
    ('order_line_item_id', 'text', 'orderLineItemId'),
    ('order_date', 'timestamp', 'orderDate'),
    ('region', 'text', 'region'),
    ('purchase_order_number', 'text', 'purchaseOrderNumber'),
    ('purchase_order_line', 'text', 'purchaseOrderLineItemNumber'),
    ('asin', 'text', 'productDetails.asin'),
    ('title', 'text', 'productDetails.title'),
    ('category', 'text', 'productDetails.productCategory'),
    ('unspsc', 'text', 'productDetails.unspsc.code'),
    ('seller', 'text', 'seller.name'),
    ('quantity', 'integer', 'quantity'),
    ('unit_price', 'money', 'unitPrice.amount'),
    ('unit_price_currency', 'text', 'unitPrice.currencyCode'),
    ('charges', 'json', 'charges'),
]) }}
