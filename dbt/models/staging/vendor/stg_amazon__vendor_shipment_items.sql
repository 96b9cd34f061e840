{{ config(
    enabled=var('vendor_streams'),
    materialized='table' if target.type == 'bigquery' else 'incremental',
    incremental_strategy='delete+insert',
    unique_key='vendor_shipment_identifier',
    on_schema_change='sync_all_columns',
) }}
{#- A shipment's row is replaced as a whole, so its array holds no item that is gone. Where the array
    was not selected, the child stream has the same items. -#}
{%- set fields = [
    ('item_sequence_number', 'text', 'itemSequenceNumber'),
    ('asin', 'text', 'buyerProductIdentifier'),
    ('vendor_sku', 'text', 'vendorProductIdentifier'),
    ('shipped_quantity', 'eaches', 'shippedQuantity'),
] -%}
{%- set shipment = ('vendor_shipment_identifier', 'text', 'vendorShipmentIdentifier') -%}
{%- set number = ('purchase_order_number', 'text', 'purchaseOrderNumber') -%}
{%- set has_array = 'purchaseorders' in amazon_business.columns_of('vendor_shipments') -%}
{%- set has_child = amazon_business.has_table('vendor_shipment_items') -%}

with parent as (
{%- if has_child and not has_array %}
    {{ amazon_business.staged('vendor_shipment_items', [shipment, number] + fields, since=true) }}
),

item as (
    select * from parent
)
{%- else %}
    {{ amazon_business.staged('vendor_shipments', [
        shipment,
        ('purchase_orders', 'json', 'purchaseOrders'),
    ], since=true) }}
),

purchase_order as (
    select
        vendor_shipment_identifier,
        loaded_at,
        {{ amazon_business.fields_of('item', [number, ('items', 'json', 'items')]) }}
    from ({{ amazon_business.exploded('parent', 'purchase_orders') }}) as exploded
),

item as (
    select
        vendor_shipment_identifier,
        purchase_order_number,
        {{ amazon_business.fields_of('item', fields) }},
        loaded_at
    from ({{ amazon_business.exploded('purchase_order', 'items') }}) as exploded
)
{%- endif %}

select
    item.*,
    {{ amazon_business.line_number('item_sequence_number') }} as line_number
from item
