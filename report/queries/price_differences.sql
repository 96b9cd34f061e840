-- The order line's unit price, and the highest one that was charged.
select
    (charged_unit_price - unit_price) * charged_quantity as difference,
    title,
    seller,
    unit_price,
    charged_unit_price,
    charged_quantity as charged,
    order_id,
    order_line_item_id as line,
    currency
from analytics.purchase_reconciliation
where has_charge and charged_currency = currency and charged_unit_price <> unit_price
order by
    abs((charged_unit_price - unit_price) * charged_quantity) desc,
    order_id,
    order_line_item_id
