{# JSON as each warehouse has it: json, jsonb or variant. Amounts are texts within it, exact. #}

{% macro type_json() %}{{ return(adapter.dispatch('type_json', 'amazon_business')()) }}{% endmacro %}
{% macro default__type_json() %}{{ return('json') }}{% endmacro %}
{% macro postgres__type_json() %}{{ return('jsonb') }}{% endmacro %}
{% macro snowflake__type_json() %}{{ return('variant') }}{% endmacro %}

{# A column as JSON. In flattened records, arrays are text; target-postgres has arrays of jsonb. #}
{% macro as_json(value, dtype) %}{{ return(adapter.dispatch('as_json', 'amazon_business')(value, dtype)) }}{% endmacro %}
{% macro default__as_json(value, dtype) %}
  {{- return('cast(' ~ value ~ ' as json)' if amazon_business.is_text(dtype) else value) -}}
{% endmacro %}
{% macro postgres__as_json(value, dtype) %}
  {{- return(
    "cast(nullif(" ~ value ~ ", '') as jsonb)" if amazon_business.is_text(dtype) else 'to_jsonb(' ~ value ~ ')'
  ) -}}
{% endmacro %}
{% macro bigquery__as_json(value, dtype) %}
  {%- if amazon_business.is_text(dtype) -%}
    {%- do return('safe.parse_json(' ~ value ~ ')') -%}
  {%- endif -%}
  {{- return(value if dtype == 'json' else 'to_json(' ~ value ~ ', stringify_wide_numbers => true)') -}}
{% endmacro %}
{% macro snowflake__as_json(value, dtype) %}
  {{- return('parse_json(' ~ value ~ ')' if amazon_business.is_text(dtype) else value) -}}
{% endmacro %}
{% macro is_text(dtype) %}{{ return(dtype in ['text', 'string'] or 'char' in dtype) }}{% endmacro %}

{# What stands at a path, as JSON or as text. #}
{% macro json_at(value, path) %}
  {{- return(adapter.dispatch('json_at', 'amazon_business')(value, path)) -}}
{% endmacro %}
{% macro text_at(value, path) %}
  {{- return(adapter.dispatch('text_at', 'amazon_business')(value, path)) -}}
{% endmacro %}

{% macro default__json_at(value, path) %}{{ return('(' ~ value ~ " -> '" ~ amazon_business.json_path(path) ~ "')") }}{% endmacro %}
{% macro default__text_at(value, path) %}{{ return('(' ~ value ~ " ->> '" ~ amazon_business.json_path(path) ~ "')") }}{% endmacro %}
{% macro json_path(path) %}{{ return('$."' ~ (path | join('"."') | replace("'", "''")) ~ '"') }}{% endmacro %}

{% macro postgres__json_at(value, path) %}{{ return('(' ~ value ~ " #> '" ~ amazon_business.jsonb_path(path) ~ "')") }}{% endmacro %}
{% macro postgres__text_at(value, path) %}{{ return('(' ~ value ~ " #>> '" ~ amazon_business.jsonb_path(path) ~ "')") }}{% endmacro %}
{% macro jsonb_path(path) %}{{ return('{"' ~ (path | join('","') | replace("'", "''")) ~ '"}') }}{% endmacro %}

{% macro bigquery__json_at(value, path) %}{{ return('json_query(' ~ value ~ ", '" ~ amazon_business.escaped_path(path) ~ "')") }}{% endmacro %}
{% macro bigquery__text_at(value, path) %}{{ return('json_value(' ~ value ~ ", '" ~ amazon_business.escaped_path(path) ~ "')") }}{% endmacro %}
{% macro escaped_path(path) %}{{ return('$."' ~ (path | join('"."') | replace("'", "\\'")) ~ '"') }}{% endmacro %}

{% macro snowflake__json_at(value, path) %}{{ return(value ~ ':"' ~ (path | join('"."')) ~ '"') }}{% endmacro %}
{% macro snowflake__text_at(value, path) %}{{ return(amazon_business.snowflake__json_at(value, path) ~ '::varchar') }}{% endmacro %}

{# A row of `relation` for each element of its JSON array `elements`, with `item` and `place`, from 1. #}
{% macro exploded(relation, elements) %}
  {{- return(adapter.dispatch('exploded', 'amazon_business')(relation, elements)) -}}
{% endmacro %}
{% macro default__exploded(relation, elements) %}
    select
        {{ relation }}.*,
        unnest(from_json({{ elements }}, '["json"]')) as item,
        generate_subscripts(from_json({{ elements }}, '["json"]'), 1) as place
    from {{ relation }}
{% endmacro %}
{% macro postgres__exploded(relation, elements) %}
    select {{ relation }}.*, element.item, element.place
    from {{ relation }}
    cross join lateral jsonb_array_elements(
        case jsonb_typeof({{ elements }}) when 'array' then {{ elements }} else '[]' end
    ) with ordinality as element (item, place)
{% endmacro %}
{% macro bigquery__exploded(relation, elements) %}
    select {{ relation }}.*, element as item, position + 1 as place
    from {{ relation }}
    cross join unnest(json_query_array({{ relation }}.{{ elements }})) as element with offset as position
{% endmacro %}
{% macro snowflake__exploded(relation, elements) %}
    select {{ relation }}.*, element.value as item, element.index + 1 as place
    from {{ relation }},
        lateral flatten(input => {{ elements }}) as element
{% endmacro %}

{# For what is used more than once: DuckDB would work it out each time. #}
{% macro once() %}{{ return(adapter.dispatch('once', 'amazon_business')()) }}{% endmacro %}
{% macro default__once() %}{{ return('') }}{% endmacro %}
{% macro duckdb__once() %}{{ return('materialized') }}{% endmacro %}
