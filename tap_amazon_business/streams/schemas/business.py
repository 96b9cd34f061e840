"""Schemas of the records of the Amazon Business API.

Sources: Amazon's Reporting API v2025-06-09 and Reconciliation API v2021-01-08.
"""

from __future__ import annotations

from tap_amazon_business.streams.schemas.fields import (
    Field,
    count,
    date,
    decimal,
    flag,
    key,
    mapping,
    money,
    personal,
    record,
    records,
    schema,
    text,
    texts,
)

# Amazon's model gives no unit.
_RATE = "Amazon documents neither fraction nor per cent"

_CHARGES = records("charges", "What was charged, by type.")(
    text(
        "type",
        "SUBTOTAL, SHIPPING_AND_HANDLING, PROMOTION, TAX or NET_TOTAL. NET_TOTAL is the total "
        "of the others: use it alone.",
    ),
    money("amount", "The charge's amount."),
)


def _customer(name: str, description: str, *more: Field) -> Field:
    return record(name, f"{description}.")(
        *personal(
            text("name", "The person's name."),
            text("email", "The person's e-mail address."),
            *more,
        ),
    )


_ORDER = (
    key(text("orderId", "Amazon's identifier of the order.")),
    date("orderDate", "When the order was placed."),
    text("region", "Region code of the order, such as US or DE."),
)

_ORDER_LINE = key(text("orderLineItemId", "Amazon's identifier of the order's line."))

_SHIPMENT = (
    key(text("shipmentId", "Amazon's identifier of the shipment.")),
    date("shipmentDate", "When it was shipped."),
)

_PURCHASE_ORDER_NUMBER = text(
    "purchaseOrderNumber", "The purchase order number that the buyer typed."
)

_LINE_NUMBER = text("purchaseOrderLineItemNumber", "The line of the buyer's purchase order.")

_ORDER_REPORT = (
    text(
        "orderStatus",
        "PENDING_APPROVAL, PAYMENT_CONFIRMED, PENDING_FULFILLMENT, PENDING, CANCELLED or CLOSED.",
    ),
    _CHARGES,
    _customer("buyingCustomer", "Who bought"),
    record("buyerGroup", "The group that the buyer belongs to.")(text("name", "Its name.")),
    mapping("businessOrderInfo", "Custom fields that your administrators defined, by name."),
    record("approverDetails", "Who approved the order.")(
        _customer("lastOrderApproverCustomer", "The last approver"),
    ),
)

_PRODUCT = record("productDetails", "The product.")(
    text("productCategory", "Category of the product."),
    text("asin", "ASIN of the product."),
    text("title", "Title of the product."),
    record("unspsc", "Its UNSPSC classification.")(text("code", "The code.")),
    text("productCondition", "Condition, such as New."),
    text("brandCode", "Code of the brand."),
    text("brandName", "Name of the brand."),
    text("manufacturerName", "Name of the manufacturer."),
    texts("serialNumbers", "Serial numbers."),
)

_ADDRESS_LINES = (
    text("addressLine1", "First line of the address."),
    text("addressLine2", "Second line of the address."),
)

_TOWN = (
    text("city", "City."),
    text("stateOrRegion", "State or region."),
    text("postalCode", "Postal code."),
    text("countryCode", "Country, ISO 3166-1 alpha-2."),
)

ORDER_REPORTS = schema(
    key(
        text(
            "purchaseOrderNumber",
            "The purchase order number as reported; by number, the one that was requested. Joins "
            "purchase_orders, trimmed and without regard to case.",
        )
    ),
    *_ORDER,
    text(
        "reportedPurchaseOrderNumber",
        "The purchase order number that the report itself names, where it is not the requested "
        "one; null if it names the requested one, or none. Added by the tap.",
    ),
    *_ORDER_REPORT,
)

ORDERS = schema(*_ORDER, _PURCHASE_ORDER_NUMBER, *_ORDER_REPORT)

ORDER_LINE_ITEMS = schema(
    *_ORDER,
    key(text("orderLineItemId", "Amazon's identifier of the line.")),
    _PURCHASE_ORDER_NUMBER,
    _LINE_NUMBER,
    _PRODUCT,
    money("unitPrice", "Price of one."),
    count("quantity", "How many were ordered."),
    _CHARGES,
    record("taxExemption", "Tax exemption of the line.")(
        flag("applied", "Whether one was applied."),
        text("type", "Kind of exemption."),
        flag("optOut", "Whether the buyer opted out."),
    ),
    record("pricingProgram", "Programme that set the price.")(
        text("name", "Its name."),
        money("discountAmount", "The discount it gave."),
    ),
    record("sustainability", "Sustainability of the product.")(
        text("certificationCategory", "Category of the certification."),
        texts("certificationTypes", "The certifications."),
    ),
    record("seller", "Who sold.")(
        text("name", "Name of the seller."),
        record("primaryAddress", "Address of the seller.")(*_ADDRESS_LINES, *_TOWN),
        record("credentials", "Certificates of the seller.")(
            texts("types", "Kinds of certificate."),
            records("details", "The certificates.")(
                text("certificateType", "Kind of certificate."),
                records("certifyingAgenciesDetails", "Who certified.")(
                    text("agencyName", "Name of the agency."),
                    date("certificateExpirationDate", "When the certificate expires."),
                ),
            ),
        ),
    ),
)

SHIPMENTS = schema(
    *_ORDER,
    *_SHIPMENT,
    _PURCHASE_ORDER_NUMBER,
    text("shipmentStatus", "SHIPPED, PENDING_PAYMENT, SHIPPING_SOON or SHIPPED_PLANNED."),
    record("shippingAddress", "Where it goes.")(
        *personal(text("fullName", "Name of the recipient."), *_ADDRESS_LINES),
        *_TOWN,
    ),
    _CHARGES,
    record("deliveryInfo", "Delivery of the shipment.")(
        date("expectedDeliveryDate", "When it is expected."),
        text("status", "DELIVERED, NOT_DELIVERED or NOT_AVAILABLE."),
    ),
)

SHIPMENT_LINE_ITEMS = schema(
    *_ORDER,
    *_SHIPMENT,
    _ORDER_LINE,
    _PURCHASE_ORDER_NUMBER,
    _LINE_NUMBER,
    _PRODUCT,
    _CHARGES,
    count("quantity", "How many were shipped."),
    text("carrierName", "Name of the carrier."),
    records("packages", "The packages.")(
        text("trackingId", "The carrier's tracking number."),
        text("packageId", "Identifier of the package."),
    ),
    record("receivingInfo", "What the buyer received.")(
        _customer("customer", "Who received it"),
        date("date", "When it was received."),
        text("status", "ALL_ITEMS_RECEIVED, PARTIALLY_RECEIVED, PENDING or ITEMS_MISSING."),
        count("quantity", "How many were received."),
    ),
)

TRANSACTION_LINE_AMOUNTS = {
    "totalAmount": "Total of the line. Refunds come with either sign: see transactionType.",
    "principalAmount": "Total before charges and tax.",
    "shippingCharge": "Shipping.",
    "regulatoryFee": "Regulatory fee.",
    "giftWrappingCharge": "Gift wrapping.",
    "discount": "Discount.",
    "tax": "Tax.",
    "unitPrice": "Price of one.",
}

TRANSACTIONS = schema(
    key(text("transactionId", "Amazon's identifier of the transaction.")),
    date("feedDate", "When the transaction appeared in the reconciliation feed."),
    date("transactionDate", "When the transaction took place."),
    text("transactionType", "CHARGE, REFUND or OVERREFUND (a further refund)."),
    text("chargeIdentifier", "Identifier of the charge."),
    text("invoiceNumber", "Number of the invoice."),
    text("marketplaceId", "Identifier of the marketplace."),
    decimal("shipTaxRate", f"Tax rate of the shipping, exact; {_RATE}."),
    decimal("giftWrapTaxRate", f"Tax rate of the gift wrapping, exact; {_RATE}."),
    text("legalEntityName", "Legal entity that bought."),
    text("purchasingCustomerGroupName", "Group that the buyer belongs to."),
    money(
        "amount", "Amount of the transaction. Refunds come with either sign: see transactionType."
    ),
    text("paymentInstrumentType", "Kind of payment, such as Visa."),
    text("paymentInstrumentLast4Digits", "Last four digits of the payment instrument."),
    _customer("buyer", "Who bought", text("id", "Amazon's identifier of the person.")),
    _customer("payer", "Who paid", text("id", "Amazon's identifier of the person.")),
    records("associatedTransactionDetails", "Transactions that belong to this one.")(
        text("associatedTransactionId", "Identifier of the transaction."),
    ),
    records("transactionLineItems", "The lines of the transaction.")(
        text("refundReason", "Why it was refunded."),
        *(money(name, description) for name, description in TRANSACTION_LINE_AMOUNTS.items()),
        decimal("taxRate", f"Tax rate of the line, exact; {_RATE}."),
        text("orderId", "Amazon's identifier of the order."),
        text("unspsc", "UNSPSC classification of the product."),
        text("orderLineItemId", "Amazon's identifier of the order's line."),
        _PURCHASE_ORDER_NUMBER,
        text("purchaseOrderLineItemId", "The line of the buyer's purchase order."),
        text("asin", "ASIN of the product."),
        text("productTitle", "Title of the product."),
        count("itemQuantity", "How many."),
        text("shipmentId", "Amazon's identifier of the shipment."),
        date("shipmentDate", "When it was shipped."),
        text("merchantLegalName", "Legal name of the seller."),
        text("budgetId", "Identifier of the budget."),
        mapping("businessOrderInfo", "Custom fields that your administrators defined, by name."),
    ),
)


def _tax(name: str, description: str) -> Field:
    return record(name, description)(*_TAX_FIELDS)


_TAX_FIELDS = (
    decimal("rate", f"Tax rate, exact; {_RATE}."),
    money("inclusiveTotal", "Total with tax."),
    money("exclusiveTotal", "Total without tax."),
    money("amount", "The tax."),
)


def _company(name: str, description: str) -> Field:
    return record(name, f"{description}. Japan only.")(
        text("name", "Its name."),
        text("registrationNumber", "Its registration number for tax."),
    )


def _fees(description: str, *apportionment: Field) -> Field:
    return records("fees", description)(
        text("feeType", "SHIPPING, GIFTWRAPPING or OTHER."),
        _tax("tax", "Tax of the fee."),
        money("discount", "Discount on the fee."),
        records("apportionment", "Division of the fee.")(*apportionment),
    )


INVOICES = schema(
    key(text("orderId", "Amazon's identifier of the order.")),
    _ORDER_LINE,
    key(text("shipmentId", "Amazon's identifier of the shipment.")),
    key(text("invoiceNumber", "Number of the invoice.")),
    date("invoiceDate", "Date of the invoice."),
    text("invoiceType", "STANDARD or CREDIT_MEMO."),
    record("consolidatedInvoiceDetails", "The consolidated invoice that contains this one.")(
        text("invoiceNumber", "Its number; Pending until the document is ready."),
    ),
    text("associatedInvoiceNumber", "Invoice that a credit memo belongs to. Japan only."),
    date("associatedInvoiceDate", "Date of that invoice. Japan only."),
    _company("invoiceIssuer", "Who issued the invoice"),
    record("billToAddress", "Who is billed. Japan only.")(
        text("addressType", "Kind of address."),
        *personal(
            text("fullName", "Name of the person."),
            text("phoneNumber", "Telephone number."),
            *_ADDRESS_LINES,
            text("addressLine3", "Third line of the address."),
        ),
        text("companyName", "Name of the company."),
        *_TOWN,
    ),
    _company("sellerInformation", "Who sold"),
    date("orderDate", "When the order was placed. Japan only."),
    text("currencyCode", "Currency of the invoice, ISO 4217, three letters. Japan only."),
    decimal("invoiceTotal", "Total of the invoice, exact. Japan only."),
    records("tax", "Taxes, by rate. Japan only.")(*_TAX_FIELDS),
    records("transactionDataItems", "The products that were invoiced. Japan only.")(
        decimal("taxRate", f"Tax rate, exact; {_RATE}."),
        count("unit", "How many."),
        text("asin", "ASIN of the product."),
        text("title", "Title of the product."),
        money("unitTaxInclusivePrice", "Price of one with tax."),
        money("unitTaxExclusivePrice", "Price of one without tax."),
        money("unitTaxAmount", "Tax of one."),
        money("totalAmount", "Total."),
        money("discount", "Discount."),
        records("apportionment", "Division among order lines.")(
            text("orderLineItemId", "Amazon's identifier of the order's line."),
            count("lineNumber", "Number of the line."),
            count("units", "How many."),
            money("unitPrice", "Price of one."),
            money("taxAmount", "Tax."),
        ),
        _fees(
            "Fees of the product.",
            text("associatedOrderLineItemId", "Amazon's identifier of the order's line."),
            count("units", "How many."),
            money("unitTaxExclusiveFee", "Fee of one without tax."),
            money("unitTaxAmount", "Tax of one."),
        ),
    ),
    _fees(
        "Fees of the invoice. Japan only.",
        money("taxExclusiveFee", "Fee without tax."),
        money("taxAmount", "Tax."),
    ),
)

INVOICE_PAYMENTS = schema(
    key(text("invoiceId", "Number of the invoice, or of a consolidated invoice.")),
    text("resultType", "SUCCESS; results of type ERROR have no record."),
    record("paymentDetails", "Payment of the invoice.")(
        text("status", "Closed, Past Due, Issued or Payment Processing."),
        date("dueDate", "When it is due."),
    ),
)
