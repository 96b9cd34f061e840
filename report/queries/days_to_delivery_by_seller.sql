-- Whole days from the order to the date on which its receiver confirmed the last of a line.
select
    coalesce(seller, 'unknown') as seller,
    count(*) as delivered_lines,
    cast(sum(days_to_delivery) as numeric(38, 9)) / count(*) as average_days,
    max(days_to_delivery) as longest_days
from analytics.purchase_reconciliation
where days_to_delivery is not null
group by coalesce(seller, 'unknown')
order by average_days desc, seller
