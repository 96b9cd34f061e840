-- Views over what meltanolabs-target-snowflake loads; run with the tables' database and schema in use.
-- Nested amounts are text within a VARIANT, with all their digits: here they become exact numbers.

create or replace view purchase_order_lines as
select
    purchase_order.purchaseOrderNumber as purchase_order_number,
    item.value:itemSequenceNumber::varchar as item_sequence_number,
    item.value:amazonProductIdentifier::varchar as amazon_product_identifier,
    item.value:vendorProductIdentifier::varchar as vendor_product_identifier,
    item.value:orderedQuantity.amount::integer as ordered_quantity,
    item.value:orderedQuantity.unitOfMeasure::varchar as unit_of_measure,
    item.value:orderedQuantity.unitSize::integer as unit_size,
    item.value:netCost.amount::number(38, 9) as net_cost,
    item.value:netCost.currencyCode::varchar as net_cost_currency,
    item.value:listPrice.amount::number(38, 9) as list_price,
    item.value:listPrice.currencyCode::varchar as list_price_currency
from purchase_orders as purchase_order,
    lateral flatten(input => purchase_order.items) as item;

create or replace view order_report_charges as
select
    report.purchaseOrderNumber as purchase_order_number,
    report.orderId as order_id,
    charge.value:type::varchar as charge_type,
    charge.value:amount.amount::number(38, 9) as amount,
    charge.value:amount.currencyCode::varchar as currency
from order_reports as report,
    lateral flatten(input => report.charges) as charge;
