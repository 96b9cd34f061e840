{{ config(
    enabled=var('vendor_streams'),
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='vendor_shipment_identifier',
    on_schema_change='sync_all_columns',
) }}

with parent as (
    {{ amazon_business.staged('vendor_shipments', [
        ('vendor_shipment_identifier', 'text', 'vendorShipmentIdentifier'),
        ('purchase_orders', 'json', 'purchaseOrders'),
    ], since=true) }}
),

purchase_order as (
    select
        vendor_shipment_identifier,
        loaded_at,
        {{ amazon_business.fields_of('item', [
            ('purchase_order_number', 'text', 'purchaseOrderNumber'),
            ('items', 'json', 'items'),
        ]) }}
    from ({{ amazon_business.exploded('parent', 'purchase_orders') }}) as exploded
),

item as (
    select
        vendor_shipment_identifier,
        purchase_order_number,
        {{ amazon_business.fields_of('item', [
            ('item_sequence_number', 'text', 'itemSequenceNumber'),
            ('asin', 'text', 'buyerProductIdentifier'),
            ('vendor_sku', 'text', 'vendorProductIdentifier'),
            ('shipped_quantity', 'eaches', 'shippedQuantity'),
        ]) }},
        loaded_at
    from ({{ amazon_business.exploded('purchase_order', 'items') }}) as exploded
)

select
    item.*,
    {{ amazon_business.line_number('item_sequence_number') }} as line_number
from item
