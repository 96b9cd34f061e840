{{ config(enabled=var('vendor_streams')) }}

{{ amazon_business.staged('purchase_order_statuses', [
    ('purchase_order_number', 'text', 'purchaseOrderNumber'),
    ('purchase_order_status', 'text', 'purchaseOrderStatus'),
    ('purchase_order_date', 'timestamp', 'purchaseOrderDate'),
    ('last_updated_date', 'timestamp', 'lastUpdatedDate'),
    ('vendor_code', 'text', 'sellingParty.partyId'),
    ('ship_to', 'text', 'shipToParty.partyId'),
]) }}
