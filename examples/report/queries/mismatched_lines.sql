-- The ten lines whose charges differ most from what is expected of them.
select
    order_id,
    purchase_order_number as purchase_order,
    mismatch,
    ordered_quantity as ordered,
    shipped_quantity as shipped,
    charged_quantity as charged,
    expected_amount as expected_charge,
    charged_amount as charge,
    refunded_amount as refund,
    currency
from analytics.purchase_reconciliation
where mismatch is not null
order by
    abs(coalesce(expected_amount, 0) - charged_amount) desc,
    order_id,
    order_line_item_id
limit 10
