{{ config(enabled=var('business_streams')) }}

-- The same order may come by both streams, and by several purchase order numbers: it counts once,
-- as it was loaded last, under the number that it names itself if it was found by it.
{%- set own = ['region', 'order_status', 'buyer_name', 'buyer_email', 'buyer_group',
    'approver_name', 'approver_email'] + (var('business_order_info').keys() | list) %}
with report as (
    select
        *,
        row_number() over (
            partition by order_id
            order by
                case when reported_purchase_order_number is null then 0 else 1 end,
                purchase_order_number
        ) as choice
    from {{ ref('stg_amazon__order_reports') }}
),

candidate as (
    select
        order_id, order_date, charges, loaded_at, purchase_order_number, 1 as preference,
        {{ own | join(', ') }}
    from {{ ref('stg_amazon__orders') }}
    union all
    select
        order_id, order_date, charges, loaded_at, null as purchase_order_number, 2 as preference,
        {{ own | join(', ') }}
    from report
    where choice = 1
),

ranked as (
    select
        candidate.*,
        row_number() over (
            partition by order_id
            order by case when loaded_at is null then 1 else 0 end, loaded_at desc, preference
        ) as choice
    from candidate
),

one as (
    select
        ranked.*,
        coalesce(report.purchase_order_number, named.purchase_order_number) as chosen_number
    from ranked
    left join report
        on ranked.order_id = report.order_id and report.choice = 1
    left join {{ ref('stg_amazon__orders') }} as named
        on ranked.order_id = named.order_id
    where ranked.choice = 1
),

charge as (
    {{ amazon_business.charges_of('one', ['order_id']) }}
)

select
    one.order_id,
    one.chosen_number as purchase_order_number,
    one.order_date,
    cast({{ dbt.date_trunc('month', 'one.order_date') }} as date) as order_month,
    {%- for name in own %}
    one.{{ name }},
    {%- endfor %}
    coalesce(one.approver_email, one.approver_name) as approver,
    case
        when one.order_status = 'CANCELLED' then 'cancelled'
        when one.order_status = 'PENDING_APPROVAL' then 'awaiting approval'
        else 'placed'
    end as spend_status,
    charge.currency,
    coalesce(charge.currencies, 0) as currencies,
    coalesce(charge.charges, 0) as charges,
    charge.subtotal,
    charge.shipping,
    charge.promotion,
    charge.tax,
    charge.other_charges,
    charge.net_total,
    charge.net_amount
from one
left join charge
    on one.order_id = charge.order_id
