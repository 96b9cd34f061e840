{{ config(enabled=var('business_streams')) }}

-- The same order may come by both streams, and by several purchase order numbers: it counts once, as
-- it was loaded last, under a number of the account if there is one, else the one that it names itself.
{%- set own = ['region', 'order_status', 'buyer_name', 'buyer_email', 'buyer_group',
    'approver_name', 'approver_email'] + (var('business_order_info').keys() | list) %}
with known as (
    select * from {{ ref('stg_amazon__purchase_order_numbers') }}
),

report as (
    select
        report.*,
        row_number() over (
            partition by report.order_id
            order by
                case when known.number_key is null then 1 else 0 end,
                case when report.reported_purchase_order_number is null then 0 else 1 end,
                report.purchase_order_number
        ) as choice
    from {{ ref('stg_amazon__order_reports') }} as report
    left join known
        on {{ amazon_business.number_key('report.purchase_order_number') }} = known.number_key
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
),

joined as (
    select
        one.*,
        coalesce(known.purchase_order_number, nullif(trim(one.chosen_number), '')) as shown_number,
        case
            when one.chosen_number is not null and (select count(*) from known) > 0
                then known.number_key is not null
        end as is_purchase_order,
        case
            when one.order_status = 'CANCELLED' then 'cancelled'
            when one.order_status = 'PENDING_APPROVAL' then 'awaiting approval'
            else 'placed'
        end as spend_status
    from one
    left join known
        on {{ amazon_business.number_key('one.chosen_number') }} = known.number_key
)

select
    joined.order_id,
    joined.shown_number as purchase_order_number,
    joined.is_purchase_order,
    joined.order_date,
    cast({{ dbt.date_trunc('month', 'joined.order_date') }} as date) as order_month,
    {%- for name in own %}
    joined.{{ name }},
    {%- endfor %}
    coalesce(joined.approver_email, joined.approver_name) as approver,
    joined.spend_status,
    charge.currency,
    coalesce(charge.currencies, 0) as currencies,
    coalesce(charge.charges, 0) as charges,
    charge.subtotal,
    charge.shipping,
    charge.promotion,
    charge.tax,
    charge.other_charges,
    charge.net_total,
    charge.order_amount,
    case when joined.spend_status = 'placed' then charge.order_amount else 0 end as net_amount
from joined
left join charge
    on joined.order_id = charge.order_id
