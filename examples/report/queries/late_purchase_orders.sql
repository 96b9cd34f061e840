-- The twenty that are latest; without the limit, all of them.
select
    purchase_order_number as purchase_order,
    cast(promised_until as date) as promised_until,
    days_late,
    open_value,
    currency
from analytics.open_purchase_orders
where days_late > 0
order by days_late desc, coalesce(open_value, 0) desc, purchase_order_number, currency
limit 20
