-- With order_month in both lists, the same by month.
select
    coalesce(approver, 'none') as approver,
    currency,
    sum(placed_orders) as orders,
    sum(net_amount) as spend,
    sum(awaiting_approval_amount) as awaiting_approval
from analytics.spend_by_month
where currency is not null
group by coalesce(approver, 'none'), currency
having sum(placed_orders) > 0
order by spend desc, approver, currency
