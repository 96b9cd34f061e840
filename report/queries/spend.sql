-- Headline: placed orders of the last full month, and of the month before.
select
    dates.last_month as month,
    spend.currency,
    sum(case when spend.order_month = dates.last_month then spend.net_amount else 0 end) as spend,
    sum(case when spend.order_month = dates.month_before then spend.net_amount else 0 end)
        as month_before
from analytics.spend_by_month as spend
cross join analytics.report_dates as dates
where
    spend.currency is not null
    and spend.order_month in (dates.last_month, dates.month_before)
group by dates.last_month, spend.currency
order by 3 desc, spend.currency
