{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('orders', amazon_business.order_fields() + [
    ('purchase_order_number', 'text', 'purchaseOrderNumber'),
]) }}
