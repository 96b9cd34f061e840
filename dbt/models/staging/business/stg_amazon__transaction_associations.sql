{{ config(enabled=var('business_streams')) }}

with parent as (
    {{ amazon_business.staged('transactions', [
        ('transaction_id', 'text', 'transactionId'),
        ('associated', 'json', 'associatedTransactionDetails'),
    ]) }}
)

select transaction_id, associated_transaction_id
from (
    select
        transaction_id,
        {{ amazon_business.fields_of('item', [
            ('associated_transaction_id', 'text', 'associatedTransactionId'),
        ]) }}
    from ({{ amazon_business.exploded('parent', 'associated') }}) as exploded
) as named
where associated_transaction_id is not null
