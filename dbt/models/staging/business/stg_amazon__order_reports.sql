{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('order_reports', amazon_business.order_fields() + [
    ('purchase_order_number', 'text', 'purchaseOrderNumber'),
    ('reported_purchase_order_number', 'text', 'reportedPurchaseOrderNumber'),
]) }}
