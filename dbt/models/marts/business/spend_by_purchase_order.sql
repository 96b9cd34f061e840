{{ config(enabled=var('business_streams')) }}

select
    min(purchase_order_number) as purchase_order_number,
    max(case when is_purchase_order then 1 when not is_purchase_order then 0 end) = 1 as is_purchase_order,
    currency,
    min(order_date) as first_order_date,
    max(order_date) as last_order_date,
    {{ amazon_business.spend_sums() }}
from {{ ref('order_spend') }}
where purchase_order_number is not null
group by {{ amazon_business.number_key('purchase_order_number') }}, currency
