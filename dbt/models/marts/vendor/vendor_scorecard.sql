{{ config(enabled=var('vendor_streams')) }}

with line as (
    select
        {{ dbt.date_trunc('week', 'purchase_order_date') }} as week,
        ship_to,
        vendor_code,
        purchase_order_number,
        ordered_first,
        ordered_now,
        confirmed_quantity,
        cancelled_quantity,
        shipped_quantity,
        received_quantity,
        is_due,
        least(confirmed_quantity, ordered_first) as confirmed_of_ordered,
        case when is_due then ordered_now else 0 end as due_quantity,
        case when is_due then greatest(least(received_quantity, ordered_now), 0) else 0 end as filled_quantity,
        received_quantity > 0 and promised_until is not null and fulfilled_at is not null as is_timed,
        coalesce(fulfilled_at <= promised_until, false) as is_on_time,
        is_due and ordered_now > 0 and promised_until is not null as counts_for_otif
    from {{ ref('purchase_order_lines') }}
    where has_status
),

summed as (
    select
        cast(week as date) as week,
        ship_to,
        vendor_code,
        count(distinct purchase_order_number) as purchase_orders,
        count(*) as lines,
        {{ amazon_business.units('ordered_first') }} as ordered_first,
        {{ amazon_business.units('ordered_now') }} as ordered_now,
        {{ amazon_business.units('cancelled_quantity') }} as cancelled_quantity,
        {{ amazon_business.units('confirmed_quantity') }} as confirmed_quantity,
        {{ amazon_business.units('shipped_quantity') }} as shipped_quantity,
        {{ amazon_business.units('received_quantity') }} as received_quantity,
        {{ amazon_business.units('confirmed_of_ordered') }} as confirmed_of_ordered,
        {{ amazon_business.units('due_quantity') }} as due_quantity,
        {{ amazon_business.units('filled_quantity') }} as filled_quantity,
        sum(case when is_timed then received_quantity else 0 end) as timed_quantity,
        sum(case when is_timed and is_on_time then received_quantity else 0 end) as on_time_quantity,
        sum(case when counts_for_otif then 1 else 0 end) as due_lines,
        sum(
            case
                when counts_for_otif and is_on_time and received_quantity >= ordered_now then 1
                else 0
            end
        ) as on_time_in_full_lines
    from line
    group by week, ship_to, vendor_code
)

select
    summed.*,
    {{ amazon_business.later('day', 7, 'week') }} <= {{ amazon_business.as_of() }} as is_week_over,
    {%- for name, part, whole in [
        ('confirmation_rate', 'confirmed_of_ordered', 'ordered_first'),
        ('fill_rate', 'filled_quantity', 'due_quantity'),
        ('on_time_share', 'on_time_quantity', 'timed_quantity'),
        ('on_time_in_full_share', 'on_time_in_full_lines', 'due_lines'),
    ] %}
    {{ amazon_business.share(part, whole) }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from summed
