{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('shipments', [
    ('order_id', 'text', 'orderId'),
    ('shipment_id', 'text', 'shipmentId'),
    ('order_date', 'timestamp', 'orderDate'),
    ('shipment_date', 'timestamp', 'shipmentDate'),
    ('region', 'text', 'region'),
    ('purchase_order_number', 'text', 'purchaseOrderNumber'),
    ('shipment_status', 'text', 'shipmentStatus'),
    ('delivery_status', 'text', 'deliveryInfo.status'),
    ('expected_delivery_date', 'timestamp', 'deliveryInfo.expectedDeliveryDate'),
    ('charges', 'json', 'charges'),
]) }}
