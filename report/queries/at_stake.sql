-- Headline: the amounts that mismatches of order lines are about.
select
    dates.as_of,
    lines.currency,
    sum(lines.at_stake) as at_stake,
    count(*) as order_lines
from analytics.purchase_reconciliation as lines
cross join analytics.report_dates as dates
where lines.mismatch is not null
group by dates.as_of, lines.currency
order by sum(coalesce(lines.at_stake, 0)) desc, lines.currency
