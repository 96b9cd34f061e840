-- Rates of several rows are their quantities, added up and divided again.
select
    week as week_of_order,
    min(case when is_week_over then 1 else 0 end) = 1 as is_over,
    sum(ordered_first) as units_first_ordered,
    cast(sum(confirmed_of_ordered) as numeric(38, 9))
        / nullif(sum(ordered_first), 0) as confirmation_rate,
    sum(due_quantity) as units_due,
    cast(sum(filled_quantity) as numeric(38, 9))
        / nullif(sum(due_quantity), 0) as fill_rate
from analytics.vendor_scorecard
group by week
order by coalesce(week, date '1970-01-01') desc
