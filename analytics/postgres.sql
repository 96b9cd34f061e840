-- Views over what meltanolabs-target-postgres loads; run with the tables' schema on the search_path.
-- Nested amounts are JSON, as text with all their digits: here they become exact numerics.

create or replace view purchase_order_lines as
select
    purchase_order."purchaseOrderNumber" as purchase_order_number,
    item ->> 'itemSequenceNumber' as item_sequence_number,
    item ->> 'amazonProductIdentifier' as amazon_product_identifier,
    item ->> 'vendorProductIdentifier' as vendor_product_identifier,
    (item -> 'orderedQuantity' ->> 'amount')::bigint as ordered_quantity,
    item -> 'orderedQuantity' ->> 'unitOfMeasure' as unit_of_measure,
    (item -> 'orderedQuantity' ->> 'unitSize')::bigint as unit_size,
    (item -> 'netCost' ->> 'amount')::numeric as net_cost,
    item -> 'netCost' ->> 'currencyCode' as net_cost_currency,
    (item -> 'listPrice' ->> 'amount')::numeric as list_price,
    item -> 'listPrice' ->> 'currencyCode' as list_price_currency
from purchase_orders as purchase_order
cross join lateral unnest(purchase_order.items) as item;

create or replace view order_report_charges as
select
    report."purchaseOrderNumber" as purchase_order_number,
    report."orderId" as order_id,
    charge ->> 'type' as charge_type,
    (charge -> 'amount' ->> 'amount')::numeric as amount,
    charge -> 'amount' ->> 'currencyCode' as currency
from order_reports as report
cross join lateral unnest(report.charges) as charge;
