-- Headline: what is open a full day or more after its promised window ended.
select
    dates.as_of,
    orders.currency,
    sum(coalesce(orders.overdue_value, 0)) as overdue_value,
    sum(case when orders.days_late > 0 then 1 else 0 end) as purchase_orders
from analytics.open_purchase_orders as orders
cross join analytics.report_dates as dates
group by dates.as_of, orders.currency
order by sum(coalesce(orders.overdue_value, 0)) desc, orders.currency
