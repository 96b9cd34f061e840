select
    coalesce(mismatch, 'all agree') as mismatch,
    currency,
    count(*) as order_lines,
    sum(ordered_amount) as ordered,
    sum(charged_amount) as charged,
    sum(refunded_amount) as refunded
from analytics.purchase_reconciliation
group by coalesce(mismatch, 'all agree'), currency
order by currency, count(*) desc, 1
