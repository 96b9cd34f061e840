select
    at_stake,
    mismatch,
    title,
    order_id,
    order_line_item_id as line,
    shipped_quantity as shipped,
    charged_quantity as charged,
    expected_amount as expected_charge,
    charged_amount as charge,
    currency
from analytics.purchase_reconciliation
where mismatch is not null
order by coalesce(at_stake, 0) desc, order_id, order_line_item_id
