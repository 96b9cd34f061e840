select
    purchase_order_number as purchase_order,
    ship_to,
    cast(promised_until as date) as promised_until,
    days_late,
    open_quantity as open_units,
    overdue_value,
    currency
from analytics.open_purchase_orders
where days_late > 0
order by coalesce(overdue_value, 0) desc, days_late desc, purchase_order_number, currency
