{# A purchase order number as it is compared: buyers type it in any case, and with spaces around. #}
{% macro number_key(value) %}upper(trim({{ value }})){% endmacro %}
