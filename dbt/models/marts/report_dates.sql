{%- set as_of = amazon_business.as_of() -%}
{%- set month = dbt.date_trunc('month', as_of) %}
select
    {{ as_of }} as as_of,
    cast({{ month }} as date) as this_month,
    cast({{ dbt.dateadd('month', -1, month) }} as date) as last_month,
    cast({{ dbt.dateadd('month', -2, month) }} as date) as month_before
