{# Runs before every run. A misspelt schema would make every model empty, and a stream that is not
   selected would change figures, without an error. #}
{% macro check_tables() %}
  {%- if execute and flags.WHICH in ['build', 'run'] -%}
    {%- set vendor = var('vendor_streams', true) -%}
    {%- set business = var('business_streams', true) -%}
    {%- set effects = {} -%}
    {%- if vendor -%}
      {%- do effects.update({
        'purchase_orders': 'no promised windows, so nothing is late; only a status says that an order is closed.',
        'purchase_order_statuses': 'nothing is confirmed or received, and nothing counts in vendor_scorecard.',
        'vendor_shipments': 'nothing is shipped.',
      }) -%}
    {%- endif -%}
    {%- if business -%}
      {%- do effects.update({
        'orders': 'order_spend has only orders that name a purchase order number.',
        'order_reports': 'orders of a purchase order are those that name it.',
        'order_line_items': 'purchase_reconciliation has no ordered amounts.',
        'shipments': 'every shipment counts as sent.',
        'shipment_line_items': 'nothing is compared with what was shipped.',
        'transactions': 'nothing is compared with what was charged.',
      }) -%}
    {%- endif -%}
    {%- set children = ['purchase_order_items', 'purchase_order_status_items', 'vendor_shipment_items'] if vendor else [] -%}
    {%- set found = [] -%}
    {%- for stream in (effects.keys() | list) + children -%}
      {%- if amazon_business.loaded(stream) -%}
        {%- do found.append(stream) -%}
      {%- endif -%}
    {%- endfor -%}
    {%- if effects and not found -%}
      {%- do exceptions.raise_compiler_error(
        'No table of tap-amazon-business in schema ' ~ var('schema') ~ ' of database '
        ~ (var('database') or target.database) ~ ': set the variables schema and database.'
      ) -%}
    {%- endif -%}
    {%- for stream, effect in effects.items() if stream not in found -%}
      {%- do log('No table ' ~ stream ~ ': ' ~ effect, info=true) -%}
    {%- endfor -%}
    {%- if vendor and 'purchase_orders' not in found and 'purchase_order_statuses' not in found
        and ('purchase_order_items' in found or 'purchase_order_status_items' in found) -%}
      {%- do exceptions.warn(
        'Items of purchase orders without the orders: which of them are closed is unknown, so nothing has '
        ~ 'an open quantity. Select the stream purchase_orders or purchase_order_statuses.'
      ) -%}
    {%- endif -%}
    {%- if 'vendor_shipment_items' in found and 'vendor_shipments' not in found -%}
      {%- do exceptions.warn(
        'vendor_shipment_items without their shipments: which of them left is unknown, so nothing counts as '
        ~ 'shipped. Select the stream vendor_shipments.'
      ) -%}
    {%- endif -%}
    {%- for stream in ['orders', 'order_reports'] if business and stream in found -%}
      {%- set columns = amazon_business.columns_of(stream) -%}
      {%- if 'businessorderinfo' not in columns and (columns.keys() | join(' ')).find(var('flattening_separator')) > 0 -%}
        {%- do exceptions.warn(
          'Table ' ~ stream ~ ' was flattened without its column businessOrderInfo, so '
          ~ (var('business_order_info').keys() | join(', ')) ~ ' is null. Switch flattening_enabled off, or '
          ~ 'use a version of the tap that keeps this column.'
        ) -%}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{% endmacro %}

{# Whether a loader has made the table of a stream. #}
{% macro loaded(stream) %}
  {%- do return(adapter.get_relation(var('database') or target.database, var('schema'), stream) is not none) -%}
{% endmacro %}
