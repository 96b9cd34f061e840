{{ config(enabled=var('business_streams')) }}

{%- set has_shipments = amazon_business.has_table('shipment_line_items') -%}
{%- set has_transactions = amazon_business.has_table('transactions') -%}
{%- set has_invoices = amazon_business.has_table('invoices') -%}
{%- set reasons = "'" ~ (var('return_reasons') | join("', '")) ~ "'" %}
with line as (
    select * from {{ ref('stg_amazon__order_line_items') }}
),

line_charge as (
    {{ amazon_business.charges_of('line', ['order_id', 'order_line_item_id']) }}
),

shipment_line as (
    select
        item.*,
        coalesce(shipment.shipment_status, 'SHIPPED') = 'SHIPPED' as has_left
    from {{ ref('stg_amazon__shipment_line_items') }} as item
    left join {{ ref('stg_amazon__shipments') }} as shipment
        on item.order_id = shipment.order_id and item.shipment_id = shipment.shipment_id
),

shipment_charge as (
    {{ amazon_business.charges_of('shipment_line', ['order_id', 'order_line_item_id', 'shipment_id']) }}
),

shipped as (
    select
        item.order_id,
        item.order_line_item_id,
        count(*) as shipments,
        {{ amazon_business.units('item.quantity') }} as announced_quantity,
        {{ amazon_business.units('case when item.has_left then item.quantity else 0 end') }} as shipped_quantity,
        sum(case when item.has_left then charge.net_amount end) as shipped_amount,
        min(case when item.has_left then item.shipment_date end) as first_shipped_at,
        max(case when item.has_left then item.shipment_date end) as last_shipped_at,
        {{ amazon_business.units('coalesce(item.received_quantity, 0)') }} as received_quantity,
        max(item.received_at) as last_received_at
    from shipment_line as item
    left join shipment_charge as charge
        on
            item.order_id = charge.order_id
            and item.order_line_item_id = charge.order_line_item_id
            and item.shipment_id = charge.shipment_id
    group by item.order_id, item.order_line_item_id
),

-- Amazon documents refunds as negative, and does not enforce it.
charged as (
    select
        order_id,
        order_line_item_id,
        min(currency) as currency,
        count(distinct currency) as currencies,
        count(distinct transaction_id) as transactions,
        {{ amazon_business.units('case when is_refund or is_other then 0 else coalesce(quantity, 0) end') }} as charged_quantity,
        sum(case when is_refund or is_other then 0 else coalesce(total_amount, 0) end) as charged_amount,
        sum(case when is_refund then abs(coalesce(total_amount, 0)) else 0 end) as refunded_amount,
        sum(
            case
                when is_refund and coalesce(refund_reason, '') not in ({{ reasons }})
                    then abs(coalesce(total_amount, 0))
                else 0
            end
        ) as refunded_without_return,
        sum(case when is_other then coalesce(total_amount, 0) else 0 end) as other_amount,
        max(case when is_refund or is_other then null else transaction_date end) as last_charged_at,
        max(invoice_number) as last_invoice_number
    from (
        select
            item.*,
            coalesce(transaction_type in ('REFUND', 'OVERREFUND'), false) as is_refund,
            coalesce(transaction_type not in ('CHARGE', 'REFUND', 'OVERREFUND'), true) as is_other
        from {{ ref('stg_amazon__transaction_line_items') }} as item
        where order_id is not null and order_line_item_id is not null
    ) as item
    group by order_id, order_line_item_id
),


-- What is billed together is paid together: the consolidated invoice tells of an invoice that has
-- no payment of its own.
invoiced as (
    select
        invoice.order_id,
        invoice.order_line_item_id,
        count(distinct invoice.invoice_number) as invoices,
        min(coalesce(own.due_date, together.due_date)) as first_due_date,
        max(
            case
                when coalesce(own.due_date, together.due_date) < {{ amazon_business.as_of() }}
                    and coalesce(own.payment_status, together.payment_status, '')
                    not in ('Closed', 'Payment Processing')
                    then 1
                else 0
            end
        ) as unpaid_past_due
    from {{ ref('stg_amazon__invoices') }} as invoice
    left join {{ ref('stg_amazon__invoice_payments') }} as own
        on invoice.invoice_number = own.invoice_number
    left join {{ ref('stg_amazon__invoice_payments') }} as together
        on invoice.consolidated_invoice_number = together.invoice_number
    group by invoice.order_id, invoice.order_line_item_id
),

-- A line may be known by what was shipped or charged alone.
spine as (
    select order_id, order_line_item_id from line
    union
    select order_id, order_line_item_id from shipped
    union
    select order_id, order_line_item_id from charged
),

side_by_side as (
    select
        spine.order_id,
        spine.order_line_item_id,
        line.order_date,
        line.region,
        line.purchase_order_number,
        line.purchase_order_line,
        line.asin,
        line.title,
        coalesce(line_charge.currency, line.unit_price_currency, charged.currency) as currency,
        line.order_id is not null as has_order_line,
        line.quantity as ordered_quantity,
        line.unit_price,
        coalesce(line_charge.net_amount, line.quantity * line.unit_price) as ordered_amount,
        coalesce(shipped.shipments, 0) as shipments,
        coalesce(shipped.announced_quantity, 0) as announced_quantity,
        coalesce(shipped.shipped_quantity, 0) as shipped_quantity,
        shipped.shipped_amount,
        shipped.first_shipped_at,
        shipped.last_shipped_at,
        coalesce(shipped.received_quantity, 0) as received_quantity,
        shipped.last_received_at,
        coalesce(charged.transactions, 0) as transactions,
        charged.currency as charged_currency,
        coalesce(charged.currencies, 0) as charged_currencies,
        coalesce(charged.charged_quantity, 0) as charged_quantity,
        coalesce(charged.charged_amount, 0) as charged_amount,
        coalesce(charged.refunded_amount, 0) as refunded_amount,
        coalesce(charged.refunded_without_return, 0) as refunded_without_return,
        coalesce(charged.other_amount, 0) as other_amount,
        charged.last_charged_at,
        charged.last_invoice_number,
        {%- if has_invoices %}
        coalesce(invoiced.invoices, 0) as invoices,
        {%- else %}
        cast(null as {{ dbt.type_bigint() }}) as invoices,
        {%- endif %}
        invoiced.first_due_date,
        coalesce(invoiced.unpaid_past_due, 0) = 1 as is_unpaid_past_due
    from spine
    left join line
        on spine.order_id = line.order_id and spine.order_line_item_id = line.order_line_item_id
    left join line_charge
        on
            spine.order_id = line_charge.order_id
            and spine.order_line_item_id = line_charge.order_line_item_id
    left join shipped
        on spine.order_id = shipped.order_id and spine.order_line_item_id = shipped.order_line_item_id
    left join charged
        on spine.order_id = charged.order_id and spine.order_line_item_id = charged.order_line_item_id
    left join invoiced
        on
            spine.order_id = invoiced.order_id
            and spine.order_line_item_id = invoiced.order_line_item_id
),

judged as (
    select
        side_by_side.*,
        -- What is shipped in part is charged in part.
        case
            when shipped_quantity > 0 and shipped_quantity < ordered_quantity and shipped_amount is not null
                then shipped_amount
            else ordered_amount
        end as expected_amount,
        {%- set settled = dbt.dateadd('day', -1 * var('grace_days'), amazon_business.as_of()) %}
        {%- if has_shipments and has_transactions %}
        coalesce(
            charged_quantity > shipped_quantity
            and charged_amount > refunded_amount
            and last_charged_at < {{ settled }},
            false
        ) as is_charged_not_shipped,
        coalesce(
            shipped_quantity > charged_quantity and last_shipped_at < {{ settled }}, false
        ) as is_shipped_not_charged,
        {%- else %}
        false as is_charged_not_shipped,
        false as is_shipped_not_charged,
        {%- endif %}
        refunded_without_return > 0 as is_refund_without_return
    from side_by_side
),

told as (
    select
        judged.*,
        coalesce(
            charged_quantity > 0
            and expected_amount is not null
            and (
                charged_currencies > 1
                or charged_currency <> currency
                or abs(charged_amount - expected_amount) > {{ var('amount_tolerance') }}
            ),
            false
        ) as is_amount_different
    from judged
)

select
    told.*,
    case
        when is_charged_not_shipped then 'charged not shipped'
        when is_shipped_not_charged then 'shipped not charged'
        when is_amount_different then 'amount differs'
        when is_refund_without_return then 'refund without return'
        when is_unpaid_past_due then 'unpaid past due'
    end as mismatch
from told
