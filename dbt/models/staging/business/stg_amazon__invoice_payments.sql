{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('invoice_payments', [
    ('invoice_number', 'text', 'invoiceId'),
    ('payment_status', 'text', 'paymentDetails.status'),
    ('due_date', 'timestamp', 'paymentDetails.dueDate'),
]) }}
