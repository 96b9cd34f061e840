{{ config(enabled=var('business_streams') and var('invoice_streams')) }}
{{ amazon_business.staged('invoice_payments', [
    ('invoice_number', 'text', 'invoiceId|invoiceNumber'),
    ('payment_status', 'text', 'status|paymentDetails.status'),
    ('due_date', 'timestamp', 'dueDate|paymentDetails.dueDate'),
]) }}
