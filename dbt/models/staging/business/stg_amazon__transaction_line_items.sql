{{ config(
    enabled=var('business_streams'),
    materialized='table' if target.type == 'bigquery' else 'incremental',
    incremental_strategy='delete+insert',
    unique_key='transaction_id',
    on_schema_change='sync_all_columns',
) }}

with parent as (
    {{ amazon_business.staged('transactions', [
        ('transaction_id', 'text', 'transactionId'),
        ('transaction_type', 'text', 'transactionType'),
        ('transaction_date', 'timestamp', 'transactionDate'),
        ('feed_date', 'timestamp', 'feedDate'),
        ('invoice_number', 'text', 'invoiceNumber'),
        ('line_items', 'json', 'transactionLineItems'),
    ], since=true) }}
)

select
    transaction_id,
    place as line_place,
    transaction_type,
    transaction_date,
    feed_date,
    invoice_number,
    {{ amazon_business.fields_of('item', [
        ('order_id', 'text', 'orderId'),
        ('order_line_item_id', 'text', 'orderLineItemId'),
        ('purchase_order_number', 'text', 'purchaseOrderNumber'),
        ('purchase_order_line', 'text', 'purchaseOrderLineItemId'),
        ('shipment_id', 'text', 'shipmentId'),
        ('asin', 'text', 'asin'),
        ('quantity', 'integer', 'itemQuantity'),
        ('refund_reason', 'text', 'refundReason'),
        ('currency', 'text', 'totalAmount.currencyCode'),
        ('unit_price', 'money', 'unitPrice.amount'),
        ('total_amount', 'money', 'totalAmount.amount'),
        ('principal_amount', 'money', 'principalAmount.amount'),
        ('shipping_charge', 'money', 'shippingCharge.amount'),
        ('regulatory_fee', 'money', 'regulatoryFee.amount'),
        ('gift_wrapping_charge', 'money', 'giftWrappingCharge.amount'),
        ('discount', 'money', 'discount.amount'),
        ('tax', 'money', 'tax.amount'),
    ]) }},
    loaded_at
from ({{ amazon_business.exploded('parent', 'line_items') }}) as exploded
