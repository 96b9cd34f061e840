{{ config(enabled=var('business_streams')) }}

{%- set dimensions = ['order_month', 'region']
    + (var('business_order_info').keys() | list)
    + ['approver', 'buyer_group', 'currency'] %}
select
    {{ dimensions | join(', ') }},
    {{ amazon_business.later('month', 1, 'order_month') }} <= {{ amazon_business.as_of() }} as is_month_over,
    {{ amazon_business.spend_sums() }}
from {{ ref('order_spend') }}
group by {{ dimensions | join(', ') }}
