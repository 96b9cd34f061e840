-- Lines of placed orders, tax included; shipping belongs to the order, not to a line.
select
    coalesce(category, 'none') as category,
    currency,
    count(*) as order_lines,
    sum(ordered_quantity) as pieces,
    sum(ordered_amount) as spend
from analytics.purchase_reconciliation
where spend_status = 'placed' and has_order_line and currency is not null
group by coalesce(category, 'none'), currency
order by coalesce(sum(ordered_amount), 0) desc, category, currency
