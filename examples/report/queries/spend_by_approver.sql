-- The newest months first; without the limit, all of them.
select
    order_month as month,
    coalesce(approver, 'none') as approver,
    currency,
    sum(placed_orders) as orders,
    sum(net_amount) as spend
from analytics.spend_by_month
where currency is not null
group by order_month, coalesce(approver, 'none'), currency
having sum(placed_orders) > 0
order by coalesce(order_month, date '1970-01-01') desc, currency, spend desc, approver
limit 12
