select
    agreement,
    currency,
    count(*) as order_lines,
    sum(ordered_amount) as ordered,
    sum(charged_amount) as charged,
    sum(refunded_amount) as refunded,
    sum(at_stake) as at_stake
from analytics.purchase_reconciliation
where agreement is not null
group by agreement, currency
order by coalesce(sum(at_stake), -1) desc, count(*) desc, agreement, currency
