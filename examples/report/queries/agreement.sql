-- What each line is worth is in the line's own currency.
select
    agreement,
    currency,
    count(*) as order_lines,
    sum(ordered_amount) as ordered,
    sum(charged_amount) as charged,
    sum(refunded_amount) as refunded,
    sum(at_stake) as at_stake
from analytics.purchase_reconciliation
group by agreement, currency
order by currency, sum(coalesce(at_stake, 0)) desc, count(*) desc, agreement
