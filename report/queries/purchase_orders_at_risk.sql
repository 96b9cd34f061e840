-- The variable at_risk_days says how soon the window has to end.
select
    purchase_order_number as purchase_order,
    cast(promised_until as date) as promised_until,
    open_value,
    unshipped_quantity as units_not_shipped,
    open_quantity as open_units,
    ship_to,
    currency
from analytics.open_purchase_orders
where is_at_risk
order by promised_until, coalesce(open_value, 0) desc, purchase_order_number, currency
