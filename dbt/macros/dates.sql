{# Dates are UTC. Texts may have an offset; what is no date is null. #}

{% macro as_utc(value, dtype) %}{{ return(adapter.dispatch('as_utc', 'amazon_business')(value, dtype)) }}{% endmacro %}
{% macro default__as_utc(value, dtype) %}
  {{- return('try_cast(' ~ value ~ ' as timestamp)' if amazon_business.is_text(dtype) else 'cast(' ~ value ~ ' as timestamp)') -}}
{% endmacro %}
{% macro postgres__as_utc(value, dtype) %}
  {%- if amazon_business.is_text(dtype) -%}
    {%- do return(
      "case when " ~ value ~ " ~ '^\\d{4}-\\d\\d-\\d\\dT' then cast(" ~ value
      ~ " as timestamp with time zone) at time zone 'UTC' end"
    ) -%}
  {%- elif 'with time zone' in dtype -%}
    {%- do return('(' ~ value ~ " at time zone 'UTC')") -%}
  {%- else -%}
    {%- do return(value) -%}
  {%- endif -%}
{% endmacro %}
{% macro bigquery__as_utc(value, dtype) %}
  {{- return(('safe_cast(' if amazon_business.is_text(dtype) else 'cast(') ~ value ~ ' as timestamp)') -}}
{% endmacro %}
{% macro snowflake__as_utc(value, dtype) %}
  {%- if amazon_business.is_text(dtype) -%}
    {%- do return("cast(convert_timezone('UTC', try_cast(" ~ value ~ ' as timestamp_tz)) as timestamp_ntz)') -%}
  {%- else -%}
    {%- do return('cast(' ~ value ~ ' as timestamp_ntz)') -%}
  {%- endif -%}
{% endmacro %}

{# Start or end, 1 or 2, of an interval: two date-times with two hyphens between them. #}
{% macro interval_part(value, part) %}
  {{- amazon_business.as_utc(dbt.split_part(value, "'--'", part), 'text') -}}
{% endmacro %}

{# A moment some time after another one. In BigQuery, dbt's own macro returns another type. #}
{% macro later(part, count, moment) -%}
  cast({{ dbt.dateadd(part, count, moment) }} as {{ dbt.type_timestamp() }})
{%- endmacro %}

{# Whole days between two moments; negative where the second one is earlier. #}
{% macro whole_days(first, second) -%}
    cast(floor({{ dbt.datediff(first, second, 'millisecond') }} / 86400000.0) as {{ dbt.type_bigint() }})
{%- endmacro %}

{# The moment that all figures are as of. #}
{% macro as_of() %}
  {%- set moment = var('as_of') or run_started_at.strftime('%Y-%m-%d %H:%M:%S') -%}
  cast('{{ moment }}' as {{ dbt.type_timestamp() }})
{%- endmacro %}

{# The moment before which charges and shipments have had their days of grace. #}
{% macro settled() -%}
  {{ amazon_business.later('day', -1 * var('grace_days'), amazon_business.as_of()) }}
{%- endmacro %}
