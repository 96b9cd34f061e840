{{ config(enabled=var('vendor_streams')) }}

{{ amazon_business.staged('vendor_shipments', [
    ('vendor_shipment_identifier', 'text', 'vendorShipmentIdentifier'),
    ('transaction_type', 'text', 'transactionType'),
    ('shipment_status', 'text', 'currentShipmentStatus'),
    ('created_at', 'timestamp', 'shipmentCreateDate'),
    ('confirmed_at', 'timestamp', 'shipmentConfirmDate'),
    ('shipped_at', 'timestamp', 'transportationDetails.shippedDate'),
    ('estimated_delivery_at', 'timestamp', 'transportationDetails.estimatedDeliveryDate'),
    ('delivered_at', 'timestamp', 'transportationDetails.shipmentDeliveryDate'),
    ('vendor_code', 'text', 'sellingParty.partyId'),
    ('ship_from', 'text', 'shipFromParty.partyId'),
    ('ship_to', 'text', 'shipToParty.partyId'),
]) }}
