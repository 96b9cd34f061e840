{# A misspelt schema would make every model empty, without an error. Runs before every run. #}
{% macro check_tables() %}
  {%- if execute and flags.WHICH in ['build', 'run'] -%}
    {%- set wanted = [] -%}
    {%- if var('vendor_streams', true) -%}
      {%- do wanted.extend(['purchase_orders', 'purchase_order_statuses', 'vendor_shipments']) -%}
    {%- endif -%}
    {%- if var('business_streams', true) -%}
      {%- do wanted.extend(['orders', 'order_line_items', 'order_reports', 'shipments', 'transactions']) -%}
    {%- endif -%}
    {%- set found = [] -%}
    {%- for stream in wanted -%}
      {%- if adapter.get_relation(var('database') or target.database, var('schema'), stream) -%}
        {%- do found.append(stream) -%}
      {%- endif -%}
    {%- endfor -%}
    {%- if wanted and not found -%}
      {%- do exceptions.raise_compiler_error(
        'No table of tap-amazon-business in schema ' ~ var('schema') ~ ' of database '
        ~ (var('database') or target.database) ~ ': set the variables schema and database.'
      ) -%}
    {%- endif -%}
    {%- for stream in wanted if stream not in found -%}
      {%- do log('No table ' ~ stream ~ ': what is made of it has no rows.', info=true) -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}
