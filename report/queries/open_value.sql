-- Headline: what Amazon is still waiting for.
select
    dates.as_of,
    orders.currency,
    sum(orders.open_value) as open_value,
    count(*) as purchase_orders
from analytics.open_purchase_orders as orders
cross join analytics.report_dates as dates
group by dates.as_of, orders.currency
order by sum(orders.open_value) desc, orders.currency
