{# A sum of units as a whole number: DuckDB's sums are wider. #}
{% macro units(column) %}cast(sum({{ column }}) as {{ dbt.type_bigint() }}){% endmacro %}

{# A share, of one type everywhere: the quotient of two numbers has another scale in each warehouse. #}
{% macro share(part, whole) -%}
    cast(cast({{ part }} as {{ amazon_business.type_of('money') }}) / nullif({{ whole }}, 0) as {{ amazon_business.type_of('money') }})
{%- endmacro %}

{# 1 is on item status rows what 001 is on shipments. #}
{% macro line_number(value) %}coalesce(nullif(regexp_replace({{ value }}, '^0+', ''), ''), {{ value }}){% endmacro %}
