{{ config(enabled=var('vendor_streams')) }}

{{ amazon_business.staged('purchase_orders', [
    ('purchase_order_number', 'text', 'purchaseOrderNumber'),
    ('purchase_order_state', 'text', 'purchaseOrderState'),
    ('purchase_order_date', 'timestamp', 'purchaseOrderDate'),
    ('purchase_order_changed_date', 'timestamp', 'purchaseOrderChangedDate'),
    ('purchase_order_state_changed_date', 'timestamp', 'purchaseOrderStateChangedDate'),
    ('last_changed_date', 'timestamp', 'lastChangedDate'),
    ('purchase_order_type', 'text', 'purchaseOrderType'),
    ('payment_method', 'text', 'paymentMethod'),
    ('deal_code', 'text', 'dealCode'),
    ('buying_party', 'text', 'buyingParty.partyId'),
    ('vendor_code', 'text', 'sellingParty.partyId'),
    ('ship_to', 'text', 'shipToParty.partyId'),
    ('bill_to', 'text', 'billToParty.partyId'),
    ('ship_window', 'text', 'shipWindow'),
    ('delivery_window', 'text', 'deliveryWindow'),
]) }}
