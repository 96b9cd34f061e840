{{ config(enabled=var('business_streams')) }}

{{ amazon_business.staged('transactions', [
    ('transaction_id', 'text', 'transactionId'),
    ('transaction_type', 'text', 'transactionType'),
    ('transaction_date', 'timestamp', 'transactionDate'),
    ('feed_date', 'timestamp', 'feedDate'),
    ('charge_identifier', 'text', 'chargeIdentifier'),
    ('invoice_number', 'text', 'invoiceNumber'),
    ('marketplace_id', 'text', 'marketplaceId'),
    ('legal_entity', 'text', 'legalEntityName'),
    ('buyer_group', 'text', 'purchasingCustomerGroupName'),
    ('payment_instrument', 'text', 'paymentInstrumentType'),
    ('amount', 'money', 'amount.amount'),
    ('currency', 'text', 'amount.currencyCode'),
]) }}
