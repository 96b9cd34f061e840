{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('shipment_line_items', [
    ('order_id', 'text', 'orderId'),
    ('shipment_id', 'text', 'shipmentId'),
    ('order_line_item_id', 'text', 'orderLineItemId'),
    ('order_date', 'timestamp', 'orderDate'),
    ('shipment_date', 'timestamp', 'shipmentDate'),
    ('purchase_order_number', 'text', 'purchaseOrderNumber'),
    ('carrier', 'text', 'carrierName'),
    ('quantity', 'integer', 'quantity'),
    ('received_at', 'timestamp', 'receivingInfo.date'),
    ('receiving_status', 'text', 'receivingInfo.status'),
    ('received_quantity', 'integer', 'receivingInfo.quantity'),
    ('charges', 'json', 'charges'),
]) }}
