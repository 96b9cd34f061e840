-- Days late are those of an order's latest line.
select
    case
        when days_late is null then 'no date known'
        when days_late = 0 then 'not a full day late'
        when days_late <= 7 then '1 to 7 days'
        when days_late <= 30 then '8 to 30 days'
        when days_late <= 90 then '31 to 90 days'
        else 'over 90 days'
    end as late_by,
    currency,
    count(*) as purchase_orders,
    sum(open_quantity) as open_units,
    sum(open_value) as open_value
from analytics.open_purchase_orders
group by 1, 2
order by currency, max(coalesce(days_late, -1)) desc
