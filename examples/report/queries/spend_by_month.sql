select
    order_month as month,
    currency,
    sum(placed_orders) as orders,
    sum(net_amount) as spend,
    sum(awaiting_approval_amount) as awaiting_approval
from analytics.spend_by_month
where currency is not null
group by order_month, currency
order by currency, order_month
