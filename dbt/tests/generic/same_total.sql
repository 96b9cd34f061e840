{# An expression has the same sum in two models. #}
{% test same_total(model, expression, other, other_expression=none) %}
select here.total as here, there.total as there
from (select coalesce(sum({{ expression }}), 0) as total from {{ model }}) as here
cross join (select coalesce(sum({{ other_expression or expression }}), 0) as total from {{ other }}) as there
where here.total <> there.total
{% endtest %}
