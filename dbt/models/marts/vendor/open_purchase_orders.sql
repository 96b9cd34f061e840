{{ config(enabled=var('vendor_streams')) }}

select
    purchase_order_number,
    currency,
    min(purchase_order_state) as purchase_order_state,
    min(purchase_order_date) as purchase_order_date,
    min(vendor_code) as vendor_code,
    min(ship_to) as ship_to,
    min(promised_window) as promised_window,
    min(promised_from) as promised_from,
    min(promised_until) as promised_until,
    count(*) as open_lines,
    sum(case when confirmation_status = 'UNCONFIRMED' then 1 else 0 end) as unconfirmed_lines,
    {{ amazon_business.units('ordered_now') }} as ordered_now,
    {{ amazon_business.units('confirmed_quantity') }} as confirmed_quantity,
    {{ amazon_business.units('shipped_quantity') }} as shipped_quantity,
    {{ amazon_business.units('received_quantity') }} as received_quantity,
    {{ amazon_business.units('open_quantity') }} as open_quantity,
    {{ amazon_business.units('unshipped_quantity') }} as unshipped_quantity,
    sum(open_value) as open_value,
    sum(case when days_late > 0 then open_value end) as overdue_value,
    max(days_late) as days_late,
    max(case when is_at_risk then 1 else 0 end) = 1 as is_at_risk
from {{ ref('purchase_order_lines') }}
where open_quantity > 0
group by purchase_order_number, currency
