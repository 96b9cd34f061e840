-- The five that cost most, of each currency.
with ranked as (
    select
        purchase_order_number as purchase_order,
        currency,
        placed_orders as orders,
        net_amount as spend,
        row_number() over (
            partition by currency order by net_amount desc, purchase_order_number
        ) as place
    from analytics.spend_by_purchase_order
    where currency is not null and placed_orders > 0
)

select purchase_order, currency, orders, spend
from ranked
where place <= 5
order by currency, place
