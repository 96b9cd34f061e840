-- The same with approver, buyer_group or region.
select
    coalesce(cost_centre, 'none') as cost_centre,
    currency,
    sum(placed_orders) as orders,
    sum(net_amount) as spend
from analytics.spend_by_month
where currency is not null
group by coalesce(cost_centre, 'none'), currency
having sum(placed_orders) > 0
order by spend desc, cost_centre, currency
