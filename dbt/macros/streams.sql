{# From the tables of the loaders to columns of one name and type, whatever the warehouse. #}

{# The columns of a stream's table by their names in small letters; none where there is no table. #}
{% macro columns_of(stream) %}
  {%- set found = {} -%}
  {%- set table = source('amazon_business', stream) -%}
  {%- if execute -%}
    {%- set relation = load_relation(table) -%}
    {%- if relation is not none -%}
      {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- do found.update({column.name | lower: column}) -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endif -%}
  {%- do return(found) -%}
{% endmacro %}

{# The type of a column; in BigQuery, an array is a type of its own. #}
{% macro dtype_of(column) %}{{ return(adapter.dispatch('dtype_of', 'amazon_business')(column)) }}{% endmacro %}
{% macro default__dtype_of(column) %}{{ return(column.dtype) }}{% endmacro %}
{% macro bigquery__dtype_of(column) %}{{ return(column.data_type) }}{% endmacro %}

{# Whether a loader has made the table of a stream. #}
{% macro has_table(stream) %}
  {%- do return(amazon_business.columns_of(stream) | length > 0) -%}
{% endmacro %}

{# A select of fields of a stream. Each is (name, kind, path): `orderId`, `netCost.amount`, or a list
   of keys; several paths, of which the first that holds something counts, are separated by `|`.
   A field that the table lacks is null. A table that does not exist has no rows. #}
{% macro staged(stream, fields, since=false) %}
  {%- set found = amazon_business.columns_of(stream) -%}
select
  {%- for name, kind, path in fields %}
    {{ amazon_business.field(found, kind, path) }} as {{ name }},
  {%- endfor %}
    {{ amazon_business.field(found, 'timestamp', '_sdc_batched_at') }} as loaded_at
  {%- if found or not execute %}
from {{ source('amazon_business', stream) }}
  {%- else %}
from (select 1 as nothing) as nothing
where 1 = 0
  {%- endif %}
  {%- if since and is_incremental() and '_sdc_batched_at' in found %}
where {{ amazon_business.field(found, 'timestamp', '_sdc_batched_at') }} >= (
    select coalesce(
        {{ amazon_business.later('hour', -1 * var('overlap_hours'), 'max(loaded_at)') }},
        cast('1970-01-01 00:00:00' as {{ dbt.type_timestamp() }})
    )
    from {{ this }}
)
  {%- endif %}
{% endmacro %}

{# A field of a table. Where records were flattened, `netCost.amount` is the column `netCost__amount`, or
   within `netCost` as text: the longest name that is a column counts. #}
{% macro field(found, kind, path) %}
  {%- set ways = [] -%}
  {%- for one in ([path] if path is not string else path.split('|')) -%}
    {%- set parts = one.split('.') if one is string else one -%}
    {%- if kind == 'eaches' -%}
      {%- do ways.append(amazon_business.in_eaches(
        amazon_business.field(found, 'integer', parts + ['amount']),
        amazon_business.field(found, 'text', parts + ['unitOfMeasure']),
        amazon_business.field(found, 'integer', parts + ['unitSize'])
      )) -%}
    {%- else -%}
      {%- set names = [] -%}
      {%- for length in range(parts | length, 0, -1) -%}
        {%- set name = parts[:length] | join(var('flattening_separator')) | lower -%}
        {%- if name in found and not names -%}
          {%- do names.append(name) -%}
          {%- set column = found[name] -%}
          {%- set value, dtype = adapter.quote(column.name), amazon_business.dtype_of(column) | lower -%}
          {%- do ways.append(
            amazon_business.converted(kind, value, dtype) if length == parts | length
            else amazon_business.inner(kind, amazon_business.as_json(value, dtype), parts[length:])
          ) -%}
        {%- endif -%}
      {%- endfor -%}
      {%- if not names and parts | length > 1 -%}
        {%- do amazon_business.refuse_other_separators(found, parts[0] | lower) -%}
      {%- endif -%}
      {#- By default, target-bigquery keeps whole records in one column. -#}
      {%- if not names and 'data' in found and found['data'].dtype | lower == 'json' -%}
        {%- do ways.append(amazon_business.inner(kind, adapter.quote(found['data'].name), parts)) -%}
      {%- endif -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if ways | length > 1 -%}
    coalesce({{ ways | join(', ') }})
  {%- else -%}
    {{ ways[0] if ways else 'cast(null as ' ~ amazon_business.type_of(kind) ~ ')' }}
  {%- endif -%}
{% endmacro %}

{# Columns such as `netcost.amount`, where `netcost__amount` is expected, would be read as null. #}
{% macro refuse_other_separators(found, field) %}
  {%- for name in found if name.startswith(field) and name != field -%}
    {%- set rest = name[field | length:] -%}
    {%- if not rest[0].isalnum() and not rest.startswith(var('flattening_separator')) -%}
      {%- do exceptions.raise_compiler_error(
        'The column ' ~ name ~ ' was flattened with another separator than "' ~ var('flattening_separator')
        ~ '": set the variable flattening_separator to the value of the setting flattening_separator.'
      ) -%}
    {%- endif -%}
  {%- endfor -%}
{% endmacro %}

{# A quantity in eaches: cases are multiplied by their size. #}
{% macro in_eaches(amount, unit, size) -%}
    {{ amount }} * case when lower({{ unit }}) like 'case%' then coalesce({{ size }}, 1) else 1 end
{%- endmacro %}

{# Fields of a JSON value, for a select. #}
{% macro fields_of(value, fields) %}
  {%- for name, kind, path in fields %}
    {{ amazon_business.inner(kind, value, path.split('.')) }} as {{ name }}{{ ',' if not loop.last }}
  {%- endfor %}
{% endmacro %}

{% macro inner(kind, value, path) %}
  {%- if kind == 'json' -%}
    {{ amazon_business.json_at(value, path) }}
  {%- elif kind == 'eaches' -%}
    {{ amazon_business.in_eaches(
      amazon_business.inner('integer', value, path + ['amount']),
      amazon_business.inner('text', value, path + ['unitOfMeasure']),
      amazon_business.inner('integer', value, path + ['unitSize'])
    ) }}
  {%- else -%}
    {{ amazon_business.converted(kind, amazon_business.text_at(value, path), 'text') }}
  {%- endif -%}
{% endmacro %}

{% macro converted(kind, value, dtype) %}
  {%- if kind == 'text' -%}
    nullif(cast({{ value }} as {{ amazon_business.type_of(kind) }}), '')
  {%- elif kind == 'json' -%}
    {{ amazon_business.as_json(value, dtype) }}
  {%- elif kind == 'timestamp' -%}
    {{ amazon_business.as_utc(value, dtype) }}
  {%- elif kind == 'money' -%}
    {{ amazon_business.as_money(value) }}
  {%- else -%}
    cast({{ value }} as {{ amazon_business.type_of(kind) }})
  {%- endif -%}
{% endmacro %}

{% macro type_of(kind) %}
  {%- do return({
    'text': dbt.type_string(),
    'timestamp': dbt.type_timestamp(),
    'integer': dbt.type_bigint(),
    'eaches': dbt.type_bigint(),
    'boolean': dbt.type_boolean(),
    'money': amazon_business.type_money(),
    'json': amazon_business.type_json(),
  }[kind]) -%}
{% endmacro %}
