-- The variable at_risk_days says how soon the window has to end.
select
    purchase_order_number as purchase_order,
    ship_to,
    cast(promised_until as date) as promised_until,
    unshipped_quantity as units_not_shipped,
    open_quantity as open_units,
    open_value,
    currency
from analytics.open_purchase_orders
where is_at_risk
order by promised_until, coalesce(open_value, 0) desc, purchase_order_number, currency
