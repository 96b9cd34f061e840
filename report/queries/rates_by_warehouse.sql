select
    ship_to,
    sum(purchase_orders) as orders,
    cast(sum(confirmed_of_ordered) as numeric(38, 9))
        / nullif(sum(ordered_first), 0) as confirmation_rate,
    cast(sum(filled_quantity) as numeric(38, 9))
        / nullif(sum(due_quantity), 0) as fill_rate,
    cast(sum(on_time_quantity) as numeric(38, 9))
        / nullif(sum(timed_quantity), 0) as on_time_share
from analytics.vendor_scorecard
group by ship_to
order by sum(ordered_first) desc, ship_to
