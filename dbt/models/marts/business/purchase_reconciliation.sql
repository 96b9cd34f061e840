{{ config(enabled=var('business_streams')) }}

{%- set columns = [
    'order_id', 'order_line_item_id', 'order_date', 'region', 'spend_status',
    'purchase_order_number', 'purchase_order_line', 'asin', 'title', 'category', 'seller',
    'currency', 'has_order_line', 'ordered_quantity', 'unit_price', 'ordered_amount', 'shipments',
    'announced_quantity', 'shipped_quantity', 'shipped_amount', 'first_shipped_at',
    'last_shipped_at', 'received_quantity', 'last_received_at', 'days_to_delivery', 'transactions', 'has_charge',
    'charged_currency', 'charged_currencies', 'charged_quantity', 'charged_unit_price',
    'charged_amount', 'refunded_amount', 'refunded_without_return', 'other_amount',
    'last_charged_at', 'last_invoice_number', 'invoices', 'first_due_date', 'is_unpaid_past_due',
    'expected_amount', 'is_charged_not_shipped', 'is_shipped_not_charged', 'is_amount_different',
    'is_refund_without_return', 'is_refunded_never_charged', 'mismatch',
] -%}
{%- set key = ['order_id', 'order_line_item_id'] %}
with line as (
    select * from {{ ref('stg_amazon__order_line_items') }}
),

-- Without shipments or without transactions, nothing can be compared.
loaded as (
    select
        (select count(*) from {{ ref('stg_amazon__shipment_line_items') }}) > 0
        and (select count(*) from {{ ref('stg_amazon__transaction_line_items') }}) > 0 as has_both,
        (select count(*) from {{ ref('stg_amazon__invoices') }}) > 0 as has_invoices
),

line_charge as (
    {{ amazon_business.charges_of('line', key) }}
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
    {{ amazon_business.charges_of('shipment_line', key + ['shipment_id']) }}
),

shipped as (
    select
        item.order_id,
        item.order_line_item_id,
        count(*) as shipments,
        {{ amazon_business.units('item.quantity') }} as announced_quantity,
        {{ amazon_business.units('case when item.has_left then item.quantity else 0 end') }} as shipped_quantity,
        sum(case when item.has_left then charge.order_amount end) as shipped_amount,
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

-- An authorisation is a CHARGE of 0.00 before the real one.
transaction_line as {{ amazon_business.once() }} (
    select
        item.*,
        coalesce(transaction_type = 'CHARGE', false) as is_charge,
        coalesce(transaction_type in ('REFUND', 'OVERREFUND'), false) as is_refund
    from {{ ref('stg_amazon__transaction_line_items') }} as item
    where
        order_id is not null
        and order_line_item_id is not null
        and not coalesce(transaction_type = 'CHARGE' and total_amount = 0, false)
),

charge_line as {{ amazon_business.once() }} (
    select
        order_id,
        order_line_item_id,
        coalesce(shipment_id, '') as shipment_id,
        transaction_id,
        {{ amazon_business.units('coalesce(quantity, 0)') }} as quantity
    from transaction_line
    where is_charge
    group by order_id, order_line_item_id, coalesce(shipment_id, ''), transaction_id
),

-- A payment that is split over several instruments is a CHARGE for each, which names the others; each
-- has the whole quantity. Each is linked with itself, too.
linked as {{ amazon_business.once() }} (
    select distinct
        here.order_id,
        here.order_line_item_id,
        here.shipment_id,
        here.transaction_id,
        there.transaction_id as other_id
    from charge_line as here
    inner join (
        select transaction_id, associated_transaction_id
        from {{ ref('stg_amazon__transaction_associations') }}
        union all
        select associated_transaction_id, transaction_id
        from {{ ref('stg_amazon__transaction_associations') }}
        union all
        select transaction_id, transaction_id from charge_line
    ) as link
        on here.transaction_id = link.transaction_id
    inner join charge_line as there
        on
            link.associated_transaction_id = there.transaction_id
            and here.order_id = there.order_id
            and here.order_line_item_id = there.order_line_item_id
            and here.shipment_id = there.shipment_id
),

-- The least identifier names the payment; in two steps, since some name each other by a third one.
nearest as {{ amazon_business.once() }} (
    select order_id, order_line_item_id, shipment_id, transaction_id, min(other_id) as payment_id
    from linked
    group by order_id, order_line_item_id, shipment_id, transaction_id
),

payment as (
    select order_id, order_line_item_id, payment_id, max(quantity) as quantity
    from (
        select
            charge_line.order_id,
            charge_line.order_line_item_id,
            charge_line.shipment_id,
            charge_line.quantity,
            min(nearest.payment_id) as payment_id
        from charge_line
        inner join linked
            on
                charge_line.order_id = linked.order_id
                and charge_line.order_line_item_id = linked.order_line_item_id
                and charge_line.shipment_id = linked.shipment_id
                and charge_line.transaction_id = linked.transaction_id
        inner join nearest
            on
                linked.order_id = nearest.order_id
                and linked.order_line_item_id = nearest.order_line_item_id
                and linked.shipment_id = nearest.shipment_id
                and linked.other_id = nearest.transaction_id
        group by
            charge_line.order_id,
            charge_line.order_line_item_id,
            charge_line.shipment_id,
            charge_line.transaction_id,
            charge_line.quantity
    ) as one
    group by order_id, order_line_item_id, shipment_id, payment_id
),

paid as (
    select order_id, order_line_item_id, {{ amazon_business.units('quantity') }} as charged_quantity
    from payment
    group by order_id, order_line_item_id
),

-- Amazon documents refunds as negative, and does not enforce it. Different currencies have no sum.
charged as (
    select
        order_id,
        order_line_item_id,
        min(currency) as currency,
        count(distinct currency) as currencies,
        count(distinct transaction_id) as transactions,
        sum(case when is_charge then 1 else 0 end) as charges,
        max(case when is_charge then unit_price end) as unit_price,
        {%- for name, amount in [
            ('charged_amount', 'is_charge then coalesce(total_amount, 0)'),
            ('refunded_amount', 'is_refund then abs(coalesce(total_amount, 0))'),
            ('refunded_without_return',
             "is_refund and coalesce(refund_reason, '') not in (" ~ amazon_business.return_reasons() ~ ') then abs(coalesce(total_amount, 0))'),
            ('other_amount', 'not is_charge and not is_refund then coalesce(total_amount, 0)'),
        ] %}
        case when count(distinct currency) < 2 then sum(case when {{ amount }} else 0 end) end as {{ name }},
        {%- endfor %}
        max(case when is_charge then transaction_date end) as last_charged_at,
        max(invoice_number) as last_invoice_number
    from transaction_line
    group by order_id, order_line_item_id
),

-- What is billed together is paid together: an invoice without a payment of its own has that of its
-- consolidated invoice.
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
    select distinct order_id, order_line_item_id
    from (
        select order_id, order_line_item_id from line
        union all
        select order_id, order_line_item_id from shipped
        union all
        select order_id, order_line_item_id from charged
    ) as known
),

side_by_side as (
    select
        spine.order_id,
        spine.order_line_item_id,
        coalesce(line.order_date, spend.order_date) as order_date,
        coalesce(line.region, spend.region) as region,
        spend.spend_status,
        coalesce(spend.purchase_order_number, line.purchase_order_number) as purchase_order_number,
        line.purchase_order_line,
        line.asin,
        line.title,
        line.category,
        line.seller,
        coalesce(line_charge.currency, line.unit_price_currency, charged.currency) as currency,
        line.order_id is not null as has_order_line,
        line.quantity as ordered_quantity,
        line.unit_price,
        coalesce(line_charge.order_amount, line.quantity * line.unit_price) as ordered_amount,
        coalesce(shipped.shipments, 0) as shipments,
        coalesce(shipped.announced_quantity, 0) as announced_quantity,
        coalesce(shipped.shipped_quantity, 0) as shipped_quantity,
        shipped.shipped_amount,
        shipped.first_shipped_at,
        shipped.last_shipped_at,
        coalesce(shipped.received_quantity, 0) as received_quantity,
        shipped.last_received_at,
        {{ amazon_business.whole_days('coalesce(line.order_date, spend.order_date)', 'shipped.last_received_at') }}
            as days_to_delivery,
        coalesce(charged.transactions, 0) as transactions,
        coalesce(charged.charges, 0) > 0 as has_charge,
        charged.currency as charged_currency,
        coalesce(charged.currencies, 0) as charged_currencies,
        coalesce(paid.charged_quantity, 0) as charged_quantity,
        charged.unit_price as charged_unit_price,
        {%- for name in ['charged_amount', 'refunded_amount', 'refunded_without_return', 'other_amount'] %}
        case when charged.order_id is null then 0 else charged.{{ name }} end as {{ name }},
        {%- endfor %}
        charged.last_charged_at,
        charged.last_invoice_number,
        case when loaded.has_invoices then coalesce(invoiced.invoices, 0) end as invoices,
        invoiced.first_due_date,
        coalesce(invoiced.unpaid_past_due, 0) = 1 as is_unpaid_past_due,
        loaded.has_both
    from spine
    cross join loaded
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
    left join paid
        on spine.order_id = paid.order_id and spine.order_line_item_id = paid.order_line_item_id
    left join invoiced
        on
            spine.order_id = invoiced.order_id
            and spine.order_line_item_id = invoiced.order_line_item_id
    left join {{ ref('order_spend') }} as spend
        on spine.order_id = spend.order_id
),

expected as (
    select
        side_by_side.*,
        -- What is shipped in part is charged in part.
        case
            when shipped_quantity > 0 and shipped_quantity < ordered_quantity and shipped_amount is not null
                then shipped_amount
            else ordered_amount
        end as expected_amount
    from side_by_side
),

judged as (
    select
        expected.*,
        coalesce(
            has_both
            and charged_quantity > shipped_quantity
            and charged_amount > refunded_amount
            and last_charged_at < {{ amazon_business.settled() }},
            false
        ) as is_charged_not_shipped,
        -- What is free is not charged.
        coalesce(
            has_both
            and shipped_quantity > charged_quantity
            and coalesce(expected_amount, 1) <> 0
            and last_shipped_at < {{ amazon_business.settled() }},
            false
        ) as is_shipped_not_charged,
        coalesce(
            has_charge
            and expected_amount is not null
            and (
                charged_currencies > 1
                or charged_currency <> currency
                or abs(charged_amount - expected_amount) > {{ var('amount_tolerance') }}
            ),
            false
        ) as is_amount_different,
        coalesce(refunded_without_return > 0, false) as is_refund_without_return,
        coalesce(refunded_amount > 0 and not has_charge, false) as is_refunded_never_charged
    from expected
),

classified as (
    select
        judged.*,
        case
            when is_refunded_never_charged then 'refunded, never charged'
            when is_charged_not_shipped then 'charged not shipped'
            when is_shipped_not_charged then 'shipped not charged'
            when is_amount_different then 'amount differs'
            when is_refund_without_return then 'refund without return'
            when is_unpaid_past_due then 'unpaid past due'
        end as mismatch
    from judged
)

select
    {%- for name in columns %}
    {{ name }},
    {%- endfor %}
    case
        when mismatch = 'refunded, never charged' then mismatch
        when mismatch is not null then 'differs'
        when not has_both then null
        when spend_status = 'cancelled' and shipped_quantity = 0 and not has_charge then 'cancelled'
        when shipped_quantity > 0 and (has_charge or expected_amount = 0)
            and (charged_quantity = shipped_quantity or expected_amount = 0)
            then 'agrees'
        when has_charge and refunded_amount >= charged_amount then 'agrees'
        else 'not shipped or charged yet'
    end as agreement,
    cast(
        case mismatch
            when 'refunded, never charged' then refunded_amount
            when 'charged not shipped' then greatest(charged_amount - refunded_amount - coalesce(shipped_amount, 0), 0)
            when 'shipped not charged' then greatest(expected_amount - charged_amount, 0)
            when 'amount differs' then abs(charged_amount - expected_amount)
            when 'refund without return' then refunded_without_return
            when 'unpaid past due' then coalesce(nullif(charged_amount, 0), expected_amount)
        end
        as {{ amazon_business.type_of('money') }}
    ) as at_stake
from classified
