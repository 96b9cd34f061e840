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
