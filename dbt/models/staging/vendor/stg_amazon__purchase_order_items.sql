{{ config(
    enabled=var('vendor_streams'),
    materialized='table' if target.type == 'bigquery' else 'incremental',
    incremental_strategy='delete+insert',
    unique_key='purchase_order_number',
    on_schema_change='sync_all_columns',
) }}
{#- An order's row is replaced as a whole, so its array holds no item that is gone. Where the array
    was not selected, the child stream has the same items. -#}
{%- set fields = [
    ('item_sequence_number', 'text', 'itemSequenceNumber'),
    ('asin', 'text', 'amazonProductIdentifier'),
    ('vendor_sku', 'text', 'vendorProductIdentifier'),
    ('ordered_quantity', 'eaches', 'orderedQuantity'),
    ('unit_of_measure', 'text', 'orderedQuantity.unitOfMeasure'),
    ('unit_size', 'integer', 'orderedQuantity.unitSize'),
    ('is_back_order_allowed', 'boolean', 'isBackOrderAllowed'),
    ('net_cost', 'money', 'netCost.amount'),
    ('net_cost_currency', 'text', 'netCost.currencyCode'),
    ('net_cost_unit', 'text', 'netCost.unitOfMeasure'),
    ('list_price', 'money', 'listPrice.amount'),
    ('list_price_currency', 'text', 'listPrice.currencyCode'),
] -%}
{%- set number = ('purchase_order_number', 'text', 'purchaseOrderNumber') -%}
{%- set has_array = 'items' in amazon_business.columns_of('purchase_orders') -%}
{%- set has_child = amazon_business.has_table('purchase_order_items') -%}

with parent as (
{%- if has_child and not has_array %}
    {{ amazon_business.staged('purchase_order_items', [number] + fields, since=true) }}
),

item as (
    select * from parent
)
{%- else %}
    {{ amazon_business.staged('purchase_orders', [number, ('items', 'json', 'items')], since=true) }}
),

item as (
    select
        purchase_order_number,
        {{ amazon_business.fields_of('item', fields) }},
        loaded_at
    from ({{ amazon_business.exploded('parent', 'items') }}) as exploded
)
{%- endif %}

select
    item.*,
    {{ amazon_business.line_number('item_sequence_number') }} as line_number
from item
