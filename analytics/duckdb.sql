-- Views over what target-duckdb loads; run with the tables' schema in use.
-- Nested amounts are JSON, as text with all their digits: here they become exact decimals.

create or replace view purchase_order_lines as
select
    purchase_order_number,
    item ->> '$.itemSequenceNumber' as item_sequence_number,
    item ->> '$.amazonProductIdentifier' as amazon_product_identifier,
    item ->> '$.vendorProductIdentifier' as vendor_product_identifier,
    (item ->> '$.orderedQuantity.amount')::bigint as ordered_quantity,
    item ->> '$.orderedQuantity.unitOfMeasure' as unit_of_measure,
    (item ->> '$.orderedQuantity.unitSize')::bigint as unit_size,
    (item ->> '$.netCost.amount')::decimal(38, 9) as net_cost,
    item ->> '$.netCost.currencyCode' as net_cost_currency,
    (item ->> '$.listPrice.amount')::decimal(38, 9) as list_price,
    item ->> '$.listPrice.currencyCode' as list_price_currency
from (
    select
        purchaseordernumber as purchase_order_number,
        unnest(from_json(items, '["json"]')) as item
    from purchase_orders
);

create or replace view order_report_charges as
select
    purchase_order_number,
    order_id,
    charge ->> '$.type' as charge_type,
    (charge ->> '$.amount.amount')::decimal(38, 9) as amount,
    charge ->> '$.amount.currencyCode' as currency
from (
    select
        purchaseordernumber as purchase_order_number,
        orderid as order_id,
        unnest(from_json(charges, '["json"]')) as charge
    from order_reports
);
