{# A sum of units as a whole number: DuckDB's sums are wider. #}
{% macro units(column) %}cast(sum({{ column }}) as {{ dbt.type_bigint() }}){% endmacro %}
