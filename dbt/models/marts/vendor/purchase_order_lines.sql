{{ config(enabled=var('vendor_streams')) }}

-- An order is known by its own row, by its status, or by both; so are its items.
with purchase_order as (
    select
        coalesce(orders.purchase_order_number, status.purchase_order_number) as purchase_order_number,
        orders.purchase_order_state,
        status.purchase_order_status,
        coalesce(orders.purchase_order_date, status.purchase_order_date) as purchase_order_date,
        coalesce(orders.vendor_code, status.vendor_code) as vendor_code,
        coalesce(orders.ship_to, status.ship_to) as ship_to,
        coalesce(
            orders.purchase_order_state = 'Closed' or status.purchase_order_status = 'CLOSED', false
        ) as is_closed,
        case
            when orders.delivery_window is not null then 'delivery'
            when orders.ship_window is not null then 'ship'
        end as promised_window,
        coalesce(orders.delivery_window, orders.ship_window) as promised
    from {{ ref('stg_amazon__purchase_orders') }} as orders
    full outer join {{ ref('stg_amazon__purchase_order_statuses') }} as status
        on orders.purchase_order_number = status.purchase_order_number
),

shipped as (
    select
        {{ amazon_business.number_key('item.purchase_order_number') }} as number_key,
        item.line_number,
        {{ amazon_business.units('case when shipment.has_left then item.shipped_quantity end') }} as shipped_quantity,
        {{ amazon_business.units('item.shipped_quantity') }} as announced_quantity,
        max(case when shipment.has_left then shipment.left_at end) as last_shipped_at
    from {{ ref('stg_amazon__vendor_shipment_items') }} as item
    inner join (
        select
            vendor_shipment_identifier,
            coalesce(shipment_status = 'Shipped' or confirmed_at is not null, false) as has_left,
            coalesce(confirmed_at, shipped_at, created_at) as left_at
        from {{ ref('stg_amazon__vendor_shipments') }}
        where coalesce(transaction_type, 'New') <> 'Cancel'
    ) as shipment
        on item.vendor_shipment_identifier = shipment.vendor_shipment_identifier
    group by {{ amazon_business.number_key('item.purchase_order_number') }}, item.line_number
),

line as (
    select
        coalesce(item.purchase_order_number, status.purchase_order_number) as purchase_order_number,
        coalesce(item.line_number, status.line_number) as line_number,
        coalesce(item.item_sequence_number, status.item_sequence_number) as item_sequence_number,
        coalesce(item.asin, status.asin) as asin,
        coalesce(item.vendor_sku, status.vendor_sku) as vendor_sku,
        item.unit_of_measure,
        item.unit_size,
        case when item.net_cost is null then status.net_cost else item.net_cost end as net_cost,
        case when item.net_cost is null then status.net_cost_unit else item.net_cost_unit end
            as net_cost_unit,
        case when item.net_cost is null then status.net_cost_currency else item.net_cost_currency end
            as currency,
        item.list_price,
        item.list_price_currency,
        coalesce(status.ordered_first, item.ordered_quantity, 0) as ordered_first,
        coalesce(status.ordered_now, item.ordered_quantity, 0) as ordered_now,
        coalesce(status.cancelled_quantity, 0) as cancelled_quantity,
        status.confirmation_status,
        coalesce(status.confirmed_quantity, 0) as confirmed_quantity,
        coalesce(status.rejected_quantity, 0) as rejected_quantity,
        status.receive_status,
        coalesce(status.received_quantity, 0) as received_quantity,
        status.last_received_at,
        status.purchase_order_number is not null as has_status
    from {{ ref('stg_amazon__purchase_order_items') }} as item
    full outer join {{ ref('stg_amazon__purchase_order_status_items') }} as status
        on
            item.purchase_order_number = status.purchase_order_number
            and item.line_number = status.line_number
),

joined as (
    select
        line.*,
        purchase_order.purchase_order_state,
        purchase_order.purchase_order_status,
        purchase_order.purchase_order_date,
        purchase_order.vendor_code,
        purchase_order.ship_to,
        -- Null where neither the order's own row nor its status was loaded.
        purchase_order.is_closed,
        purchase_order.promised_window,
        {{ amazon_business.interval_part('purchase_order.promised', 1) }} as promised_from,
        {{ amazon_business.interval_part('purchase_order.promised', 2) }} as promised_until,
        coalesce(shipped.shipped_quantity, 0) as shipped_quantity,
        coalesce(shipped.announced_quantity, 0) as announced_quantity,
        shipped.last_shipped_at
    from line
    left join purchase_order
        on line.purchase_order_number = purchase_order.purchase_order_number
    left join shipped
        on
            {{ amazon_business.number_key('line.purchase_order_number') }} = shipped.number_key
            and line.line_number = shipped.line_number
),

opened as (
    select
        joined.*,
        case
            when is_closed then 0
            when not is_closed
                then greatest(least(ordered_now - rejected_quantity - received_quantity, ordered_now), 0)
        end as open_quantity,
        -- Whoever ships by a window of shipping has kept it, whenever the goods arrive.
        case
            when promised_window = 'ship' then coalesce(last_shipped_at, last_received_at)
            else last_received_at
        end as fulfilled_at
    from joined
),

measured as (
    select
        opened.*,
        -- Open units that are not on their way.
        case
            when open_quantity is not null
                then greatest(open_quantity - greatest(shipped_quantity - received_quantity, 0), 0)
        end as unshipped_quantity
    from opened
)

select
    purchase_order_number,
    item_sequence_number,
    line_number,
    purchase_order_state,
    purchase_order_status,
    purchase_order_date,
    vendor_code,
    ship_to,
    asin,
    vendor_sku,
    unit_of_measure,
    unit_size,
    currency,
    net_cost,
    net_cost_unit,
    list_price,
    list_price_currency,
    has_status,
    ordered_first,
    ordered_now,
    cancelled_quantity,
    confirmation_status,
    confirmed_quantity,
    rejected_quantity,
    announced_quantity,
    shipped_quantity,
    last_shipped_at,
    receive_status,
    received_quantity,
    last_received_at,
    open_quantity,
    unshipped_quantity,
    {%- for name in ['ordered_first', 'ordered_now', 'confirmed', 'received', 'open'] %}
    {%- set quantity = name if name.startswith('ordered') else name ~ '_quantity' %}
    case when net_cost_unit is null then {{ quantity }} * net_cost end as {{ name }}_value,
    {%- endfor %}
    is_closed,
    promised_window,
    promised_from,
    promised_until,
    fulfilled_at,
    coalesce(is_closed or promised_until < {{ amazon_business.as_of() }}, false) as is_due,
    case
        when promised_until is null then null
        when open_quantity > 0
            then greatest({{ amazon_business.whole_days('promised_until', amazon_business.as_of()) }}, 0)
        when fulfilled_at is not null
            then greatest({{ amazon_business.whole_days('promised_until', 'fulfilled_at') }}, 0)
    end as days_late,
    coalesce(
        unshipped_quantity > 0
        and promised_until >= {{ amazon_business.as_of() }}
        and promised_until <= {{ amazon_business.later('day', var('at_risk_days'), amazon_business.as_of()) }},
        false
    ) as is_at_risk
from measured
