{{ config(enabled=var('business_streams')) }}

with known as (
    select * from {{ ref('stg_amazon__purchase_order_numbers') }}
),

report as (
    select
        report.order_id,
        case
            when known.number_key is not null then 'a purchase order of the account'
            when (select count(*) from known) > 0 then 'no purchase order of the account'
            else 'unknown: no purchase orders were loaded'
        end as names
    from {{ ref('stg_amazon__order_reports') }} as report
    left join known
        on {{ amazon_business.number_key('report.purchase_order_number') }} = known.number_key
)

select names, count(*) as order_reports, count(distinct order_id) as orders
from report
group by names
