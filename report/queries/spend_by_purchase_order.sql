select
    purchase_order_number as purchase_order,
    currency,
    placed_orders as orders,
    net_amount as spend
from analytics.spend_by_purchase_order
where currency is not null and placed_orders > 0
order by net_amount desc, purchase_order_number, currency
