-- The ten largest of each currency. The same with approver, buyer_group or region.
with ranked as (
    select
        coalesce(cost_centre, 'none') as cost_centre,
        currency,
        sum(placed_orders) as orders,
        sum(net_amount) as spend,
        row_number() over (
            partition by currency
            order by sum(net_amount) desc, coalesce(cost_centre, 'none')
        ) as place
    from analytics.spend_by_month
    where currency is not null
    group by coalesce(cost_centre, 'none'), currency
)

select cost_centre, currency, orders, spend
from ranked
where place <= 10 and orders > 0
order by currency, place
