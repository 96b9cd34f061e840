{{ config(enabled=var('business_streams')) }}

select
    purchase_order_number,
    currency,
    min(order_date) as first_order_date,
    max(order_date) as last_order_date,
    {{ amazon_business.spend_sums() }}
from {{ ref('order_spend') }}
where purchase_order_number is not null
group by purchase_order_number, currency
