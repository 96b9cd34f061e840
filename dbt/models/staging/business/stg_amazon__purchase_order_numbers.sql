{{ config(enabled=var('business_streams')) }}

{%- if var('vendor_streams') %}
select {{ amazon_business.number_key('purchase_order_number') }} as number_key, min(purchase_order_number) as purchase_order_number
from (
    select purchase_order_number from {{ ref('stg_amazon__purchase_orders') }}
    union all
    select purchase_order_number from {{ ref('stg_amazon__purchase_order_statuses') }}
) as listed
group by {{ amazon_business.number_key('purchase_order_number') }}
{%- else %}
select
    cast(null as {{ dbt.type_string() }}) as number_key,
    cast(null as {{ dbt.type_string() }}) as purchase_order_number
from (select 1 as nothing) as nothing
where 1 = 0
{%- endif %}
