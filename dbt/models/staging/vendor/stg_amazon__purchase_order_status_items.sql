{{ config(
    enabled=var('vendor_streams'),
    materialized='table' if target.type == 'bigquery' else 'incremental',
    incremental_strategy='delete+insert',
    unique_key='purchase_order_number',
    on_schema_change='sync_all_columns',
) }}
{#- Where the array was not selected, the child stream has the same objects. -#}
{%- set fields = [
    ('item_sequence_number', 'text', 'itemSequenceNumber'),
    ('asin', 'text', 'buyerProductIdentifier'),
    ('vendor_sku', 'text', 'vendorProductIdentifier'),
    ('net_cost', 'money', 'netCost.amount'),
    ('net_cost_currency', 'text', 'netCost.currencyCode'),
    ('net_cost_unit', 'text', 'netCost.unitOfMeasure'),
    ('ordered_now', 'eaches', 'orderedQuantity.orderedQuantity'),
    ('quantities', 'json', 'orderedQuantity.orderedQuantityDetails'),
    ('confirmation_status', 'text', 'acknowledgementStatus.confirmationStatus'),
    ('accepted_in_total', 'eaches', 'acknowledgementStatus.acceptedQuantity'),
    ('rejected_in_total', 'eaches', 'acknowledgementStatus.rejectedQuantity'),
    ('acknowledgements', 'json', 'acknowledgementStatus.acknowledgementStatusDetails'),
    ('receive_status', 'text', 'receivingStatus.receiveStatus'),
    ('received_quantity', 'eaches', 'receivingStatus.receivedQuantity'),
    ('last_received_at', 'timestamp', 'receivingStatus.lastReceiveDate'),
] -%}
{%- set number = ('purchase_order_number', 'text', 'purchaseOrderNumber') -%}
{%- set has_array = 'itemstatus' in amazon_business.columns_of('purchase_order_statuses') -%}
{%- set has_child = amazon_business.has_table('purchase_order_status_items') -%}

with parent as (
{%- if has_child and not has_array %}
    {{ amazon_business.staged('purchase_order_status_items', [number] + fields, since=true) }}
),

item as {{ amazon_business.once() }} (
    select
        parent.*,
        item_sequence_number as item_place
    from parent
),
{%- else %}
    {{ amazon_business.staged('purchase_order_statuses', [
        number,
        ('item_status', 'json', 'itemStatus'),
    ], since=true) }}
),

item as {{ amazon_business.once() }} (
    select
        purchase_order_number,
        place as item_place,
        {{ amazon_business.fields_of('item', fields) }},
        loaded_at
    from ({{ amazon_business.exploded('parent', 'item_status') }}) as exploded
),
{%- endif %}

-- What was ordered at first is the earliest detail: Amazon's own sample has the latest first.
quantity as (
    select
        purchase_order_number,
        item_place,
        max(case when age = 1 then ordered end) as ordered_first,
        {{ amazon_business.units('cancelled') }} as cancelled
    from (
        select
            detail.*,
            row_number() over (
                partition by purchase_order_number, item_place
                order by case when updated_at is null then 1 else 0 end, updated_at, place
            ) as age
        from (
            select
                purchase_order_number,
                item_place,
                place,
                {{ amazon_business.fields_of('item', [
                    ('updated_at', 'timestamp', 'updatedDate'),
                    ('ordered', 'eaches', 'orderedQuantity'),
                    ('cancelled', 'eaches', 'cancelledQuantity'),
                ]) }}
            from ({{ amazon_business.exploded('item', 'quantities') }}) as exploded
        ) as detail
    ) as aged
    group by purchase_order_number, item_place
),

-- The item's own total may count what was accepted first and cancelled later; the details do not.
acknowledgement as (
    select
        purchase_order_number,
        item_place,
        {{ amazon_business.units('coalesce(accepted, 0)') }} as accepted,
        {{ amazon_business.units('coalesce(rejected, 0)') }} as rejected,
        min(acknowledged_at) as first_acknowledged_at
    from (
        select
            purchase_order_number,
            item_place,
            {{ amazon_business.fields_of('item', [
                ('acknowledged_at', 'timestamp', 'acknowledgementDate'),
                ('accepted', 'eaches', 'acceptedQuantity'),
                ('rejected', 'eaches', 'rejectedQuantity'),
            ]) }}
        from ({{ amazon_business.exploded('item', 'acknowledgements') }}) as exploded
    ) as detail
    group by purchase_order_number, item_place
)

select
    item.purchase_order_number,
    item.item_sequence_number,
    {{ amazon_business.line_number('item.item_sequence_number') }} as line_number,
    item.asin,
    item.vendor_sku,
    item.net_cost,
    item.net_cost_currency,
    item.net_cost_unit,
    coalesce(quantity.ordered_first, item.ordered_now) as ordered_first,
    item.ordered_now,
    coalesce(quantity.cancelled, 0) as cancelled_quantity,
    item.confirmation_status,
    case
        when acknowledgement.item_place is not null then acknowledgement.accepted
        when item.confirmation_status = 'UNCONFIRMED' then 0
        else coalesce(item.accepted_in_total, 0)
    end as confirmed_quantity,
    case
        when acknowledgement.item_place is not null then acknowledgement.rejected
        when item.confirmation_status = 'UNCONFIRMED' then 0
        else coalesce(item.rejected_in_total, 0)
    end as rejected_quantity,
    acknowledgement.first_acknowledged_at,
    item.receive_status,
    coalesce(item.received_quantity, 0) as received_quantity,
    item.last_received_at,
    item.loaded_at
from item
left join quantity
    on
        item.purchase_order_number = quantity.purchase_order_number
        and item.item_place = quantity.item_place
left join acknowledgement
    on
        item.purchase_order_number = acknowledgement.purchase_order_number
        and item.item_place = acknowledgement.item_place
