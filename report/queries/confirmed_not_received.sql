-- Lines that are due: what was confirmed by then and did not arrive, Amazon may charge back.
select
    asin,
    sum(case when net_cost_unit is null then (confirmed_quantity - received_quantity) * net_cost end)
        as missing_value,
    min(vendor_sku) as vendor_sku,
    count(*) as purchase_order_lines,
    sum(confirmed_quantity) as confirmed,
    sum(received_quantity) as received,
    sum(confirmed_quantity - received_quantity) as missing,
    currency
from analytics.purchase_order_lines
where is_due and received_quantity < confirmed_quantity
group by asin, currency
order by
    coalesce(
        sum(case when net_cost_unit is null then (confirmed_quantity - received_quantity) * net_cost end),
        0
    ) desc,
    asin,
    currency
