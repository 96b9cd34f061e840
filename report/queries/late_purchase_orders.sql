select
    purchase_order_number as purchase_order,
    overdue_value,
    days_late,
    cast(promised_until as date) as promised_until,
    ship_to,
    open_quantity as open_units,
    currency
from analytics.open_purchase_orders
where days_late > 0
order by coalesce(overdue_value, 0) desc, days_late desc, purchase_order_number, currency
