-- The latest month; without the condition on it, every month.
select
    order_month as month,
    coalesce(approver, 'none') as approver,
    currency,
    sum(placed_orders) as orders,
    sum(net_amount) as spend
from analytics.spend_by_month
where
    currency is not null
    and order_month = (select max(order_month) from analytics.spend_by_month)
group by order_month, coalesce(approver, 'none'), currency
having sum(placed_orders) > 0
order by currency, spend desc, approver
