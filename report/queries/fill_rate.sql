-- Headline: of the units ordered whose promised window ended in the last full month, those received.
select
    dates.last_month as month,
    cast(sum(greatest(least(lines.received_quantity, lines.ordered_now), 0)) as numeric(38, 9))
        / nullif(sum(lines.ordered_now), 0) as fill_rate,
    sum(lines.ordered_now) as units_due
from analytics.purchase_order_lines as lines
cross join analytics.report_dates as dates
where
    lines.has_status
    and lines.is_due
    and lines.promised_until >= dates.last_month
    and lines.promised_until < dates.this_month
group by dates.last_month
