{# The type of amounts and shares: 38 digits, nine of them decimals, as NUMERIC of BigQuery's has. #}
{% macro type_money() %}{{ return(adapter.dispatch('type_money', 'amazon_business')()) }}{% endmacro %}
{% macro default__type_money() %}{{ return('numeric(38, 9)') }}{% endmacro %}
{% macro bigquery__type_money() %}{{ return('numeric') }}{% endmacro %}

{# Amounts, exact. DuckDB reads wide decimals slowly, so it reads as narrow ones those that fit. #}
{% macro as_money(value) %}{{ return(adapter.dispatch('as_money', 'amazon_business')(value)) }}{% endmacro %}
{% macro default__as_money(value) %}
  {{- return('cast(' ~ value ~ ' as ' ~ amazon_business.type_of('money') ~ ')') -}}
{% endmacro %}
{% macro duckdb__as_money(value) %}
  {{- return(
    'coalesce(try_cast(' ~ value ~ ' as numeric(18, 9)), ' ~ amazon_business.default__as_money(value) ~ ')'
  ) -}}
{% endmacro %}
