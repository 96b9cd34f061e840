select
    order_month as month,
    is_month_over as is_over,
    currency,
    sum(placed_orders) as orders,
    sum(net_amount) as spend,
    sum(awaiting_approval_amount) as awaiting_approval
from analytics.spend_by_month
where currency is not null and order_month is not null
group by order_month, is_month_over, currency
order by order_month desc, sum(net_amount) desc, currency
