{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('invoices', [
    ('order_id', 'text', 'orderId'),
    ('order_line_item_id', 'text', 'orderLineItemId'),
    ('shipment_id', 'text', 'shipmentId'),
    ('invoice_number', 'text', 'invoiceNumber'),
    ('invoice_date', 'timestamp', 'invoiceDate'),
    ('invoice_type', 'text', 'invoiceType'),
    ('consolidated_invoice_number', 'text', 'consolidatedInvoiceDetails.invoiceNumber'),
    ('invoice_total', 'money', 'invoiceTotal'),
    ('currency', 'text', 'currencyCode'),
]) }}
