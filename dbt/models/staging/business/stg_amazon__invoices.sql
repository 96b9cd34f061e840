{{ config(enabled=var('business_streams') and var('invoice_streams')) }}
{#- Both layouts of the future stream: fields at the top level, or within Amazon's objects. -#}
{{ amazon_business.staged('invoices', [
    ('order_id', 'text', 'orderId|orderLineItem.orderId'),
    ('order_line_item_id', 'text', 'orderLineItemId|orderLineItem.orderLineItemId'),
    ('shipment_id', 'text', 'shipmentId|orderLineItem.shipmentId'),
    ('invoice_number', 'text', 'invoiceNumber'),
    ('invoice_date', 'timestamp', 'invoiceDate'),
    ('invoice_type', 'text', 'invoiceType'),
]) }}
