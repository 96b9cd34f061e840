{# A sum of units as a whole number: DuckDB's sums are wider. #}
{% macro units(column) %}cast(sum({{ column }}) as {{ dbt.type_bigint() }}){% endmacro %}

{# 1 is on item status rows what 001 is on shipments. #}
{% macro line_number(value) %}coalesce(nullif(regexp_replace({{ value }}, '^0+', ''), ''), {{ value }}){% endmacro %}
