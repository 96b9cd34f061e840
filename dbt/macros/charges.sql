{# One row for each `keys` of a relation, its array `charges` side by side. #}
{% macro charges_of(relation, keys) %}
    select
        {{ keys | join(', ') }},
        count(*) as charges,
        count(distinct currency) as currencies,
        case when count(distinct currency) = 1 then max(currency) end as currency,
        {#- Where Amazon reports no total. A promotion lowers it, with a minus sign or without. #}
        {%- for name, amount in [
            ('subtotal', "sum(case when kind = 'SUBTOTAL' then amount end)"),
            ('shipping', "sum(case when kind = 'SHIPPING_AND_HANDLING' then amount end)"),
            ('promotion', "sum(case when kind = 'PROMOTION' then amount end)"),
            ('tax', "sum(case when kind = 'TAX' then amount end)"),
            ('net_total', "sum(case when kind = 'NET_TOTAL' then amount end)"),
            ('other_charges', "sum(case when kind not in "
                ~ "('SUBTOTAL', 'SHIPPING_AND_HANDLING', 'PROMOTION', 'TAX', 'NET_TOTAL') then amount end)"),
            ('order_amount', "coalesce(sum(case when kind = 'NET_TOTAL' then amount end), "
                ~ "sum(case when kind = 'PROMOTION' then -abs(amount) else amount end))"),
        ] %}
        case when count(distinct currency) < 2 then {{ amount }} end as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ keys | join(', ') }},
            {{ amazon_business.fields_of('item', [
                ('kind', 'text', 'type'),
                ('currency', 'text', 'amount.currencyCode'),
                ('amount', 'money', 'amount.amount'),
            ]) }}
        from ({{ amazon_business.exploded(relation, 'charges') }}) as exploded
    ) as charge
    group by {{ keys | join(', ') }}
{% endmacro %}

{# What orders and order_reports have in common. #}
{% macro order_fields() %}
  {%- set fields = [
    ('order_id', 'text', 'orderId'),
    ('order_date', 'timestamp', 'orderDate'),
    ('region', 'text', 'region'),
    ('order_status', 'text', 'orderStatus'),
    ('buyer_name', 'text', 'buyingCustomer.name'),
    ('buyer_email', 'text', 'buyingCustomer.email'),
    ('buyer_group', 'text', 'buyerGroup.name'),
    ('approver_name', 'text', 'approverDetails.lastOrderApproverCustomer.name'),
    ('approver_email', 'text', 'approverDetails.lastOrderApproverCustomer.email'),
    ('charges', 'json', 'charges'),
  ] -%}
  {%- for name, key in var('business_order_info').items() -%}
    {%- do fields.append((name, 'text', ['businessOrderInfo', key])) -%}
  {%- endfor -%}
  {%- do return(fields) -%}
{% endmacro %}

{# Sums of orders, which count in one of three columns of net amounts, and charges of placed ones. #}
{% macro spend_sums() %}
    count(*) as orders,
    {%- for name, status in [
        ('placed', 'placed'), ('awaiting_approval', 'awaiting approval'), ('cancelled', 'cancelled')
    ] %}
    sum(case when spend_status = '{{ status }}' then 1 else 0 end) as {{ name }}_orders,
    {%- endfor %}
    {%- for name in ['subtotal', 'shipping', 'promotion', 'tax', 'other_charges'] %}
    coalesce(sum(case when spend_status = 'placed' then {{ name }} end), 0) as {{ name }},
    {%- endfor %}
    coalesce(sum(net_amount), 0) as net_amount,
    coalesce(sum(case when spend_status = 'awaiting approval' then order_amount end), 0)
        as awaiting_approval_amount,
    coalesce(sum(case when spend_status = 'cancelled' then order_amount end), 0) as cancelled_amount
{%- endmacro %}

{# Reasons of a refund that count as a return, for `in (...)`. #}
{% macro return_reasons() -%}
  '{{ var('return_reasons') | join("', '") }}'
{%- endmacro %}
