"""Schemas of the records of the Selling Partner API.

Source: Amazon's models vendorOrders.json and vendorShipments.json (v1).
"""

from __future__ import annotations

from tap_amazon_business.streams.schemas.fields import (
    Field,
    count,
    date,
    decimal,
    flag,
    key,
    money,
    personal,
    record,
    records,
    schema,
    text,
)


def _money(name: str, description: str) -> Field:
    unit = text(
        "unitOfMeasure",
        "Unit that the price is for where goods are sold by weight (POUNDS, OUNCES, GRAMS, "
        "KILOGRAMS); missing where they are sold by eaches.",
    )
    return money(name, description, unit)


def _quantity(name: str, description: str, *more: Field) -> Field:
    return record(name, description)(
        count(
            "amount",
            "How many, in unitOfMeasure: eaches, or cases of unitSize eaches each.",
        ),
        text("unitOfMeasure", "Cases or Eaches."),
        count("unitSize", "How many eaches a case contains, where cases were ordered."),
        *more,
    )


_REGISTRATION = (
    text("taxRegistrationType", "Kind of registration, such as VAT or GST."),
    text("taxRegistrationNumber", "Registration number, such as a VAT id."),
)


def _party(name: str, description: str, *tax: Field) -> Field:
    return record(name, description)(
        text("partyId", "Identifier of the party, such as a warehouse or vendor code."),
        record("address", "The party's address.")(
            *personal(
                text("name", "Name of the person, business or institution."),
                text("addressLine1", "First line of the address."),
                text("addressLine2", "Second line of the address."),
                text("addressLine3", "Third line of the address."),
                text("phone", "Telephone number."),
            ),
            text("city", "City."),
            text("county", "County."),
            text("district", "District."),
            text("stateOrRegion", "State or region."),
            text("postalCode", "Postal code."),
            text("countryCode", "Country, ISO 3166-1 alpha-2."),
        ),
        *tax,
    )


def _order_party(name: str, description: str) -> Field:
    tax = record("taxInfo", "The party's tax registration.")(*_REGISTRATION)
    return _party(name, description, tax)


def _shipment_party(name: str, description: str) -> Field:
    tax = records("taxRegistrationDetails", "The party's tax registrations.")(*_REGISTRATION)
    return _party(name, description, tax)


_IMPORT_TERMS = (
    text(
        "methodOfPayment",
        "Method of payment of the shipment: PaidByBuyer, CollectOnDelivery, "
        "DefinedByBuyerAndSeller, FOBPortOfCall, PrepaidBySeller or PaidBySeller.",
    ),
    text("importContainers", "Kinds and numbers of containers, comma-separated."),
)


# ---- Purchase orders -----------------------------------------------------------------------------

_SEQUENCE_NUMBER = text("itemSequenceNumber", "Number of the item on the purchase order, from 1.")

_ITEM = (
    text("amazonProductIdentifier", "ASIN of the item."),
    text("vendorProductIdentifier", "The vendor's own identifier of the item."),
    _quantity("orderedQuantity", "Quantity ordered."),
    flag("isBackOrderAllowed", "Whether a backorder may be confirmed for the item."),
    _money("netCost", "Net cost per each or per unit of weight."),
    _money("listPrice", "List price per each or per unit of weight."),
)

_PURCHASE_ORDER_NUMBER = key(text("purchaseOrderNumber", "Number of the purchase order."))

PURCHASE_ORDERS = schema(
    _PURCHASE_ORDER_NUMBER,
    text("purchaseOrderState", "New, Acknowledged or Closed."),
    date(
        "lastChangedDate",
        "The latest of purchaseOrderDate, purchaseOrderChangedDate and "
        "purchaseOrderStateChangedDate; added by the tap.",
    ),
    date("purchaseOrderDate", "When the order was placed."),
    date(
        "purchaseOrderChangedDate",
        "When Amazon last changed the order (quantity, place, dates); missing until then.",
    ),
    date("purchaseOrderStateChangedDate", "When purchaseOrderState changed last."),
    text(
        "purchaseOrderType",
        "RegularOrder, ConsignedOrder, NewProductIntroduction or RushOrder.",
    ),
    record("importDetails", "Details of an import order.")(
        *_IMPORT_TERMS,
        text("internationalCommercialTerms", "Incoterms, such as FreeOnBoard or ExWorks."),
        text("portOfDelivery", "Port of delivery, where the terms are FreeOnBoard."),
        text("shippingInstructions", "Special instructions for the shipment."),
    ),
    text("dealCode", "Number of the promotion or deal."),
    text("paymentMethod", "Invoice, Consignment, CreditCard or Prepaid."),
    _order_party("buyingParty", "The buyer."),
    _order_party("sellingParty", "The seller: the vendor."),
    _order_party("shipToParty", "Destination of the goods."),
    _order_party("billToParty", "Party that is billed."),
    text("shipWindow", "When to ship: start--end, ISO 8601; text as sent, not converted to UTC."),
    text(
        "deliveryWindow",
        "When to deliver: start--end, ISO 8601; text as sent, not converted to UTC.",
    ),
    records("items", "The items of the order.")(_SEQUENCE_NUMBER, *_ITEM),
)

PURCHASE_ORDER_ITEMS = schema(_PURCHASE_ORDER_NUMBER, key(_SEQUENCE_NUMBER), *_ITEM)

_ITEM_STATUS = (
    text("buyerProductIdentifier", "ASIN of the item."),
    text("vendorProductIdentifier", "The vendor's own identifier of the item."),
    _money("netCost", "Net cost per each or per unit of weight."),
    _money("listPrice", "List price per each or per unit of weight."),
    record("orderedQuantity", "Ordered quantities.")(
        _quantity("orderedQuantity", "Quantity ordered."),
        records("orderedQuantityDetails", "History of the quantity.")(
            date("updatedDate", "When the buyer changed the quantity."),
            _quantity("orderedQuantity", "Quantity ordered."),
            _quantity("cancelledQuantity", "Quantity cancelled."),
        ),
    ),
    record("acknowledgementStatus", "Quantities that the vendor confirmed.")(
        text("confirmationStatus", "ACCEPTED, PARTIALLY_ACCEPTED, REJECTED or UNCONFIRMED."),
        _quantity("acceptedQuantity", "Quantity that the vendor accepted."),
        _quantity("rejectedQuantity", "Quantity that the vendor rejected."),
        records("acknowledgementStatusDetails", "Each confirmation.")(
            date("acknowledgementDate", "When the vendor confirmed."),
            _quantity("acceptedQuantity", "Quantity that the vendor accepted."),
            _quantity("rejectedQuantity", "Quantity that the vendor rejected."),
        ),
    ),
    record("receivingStatus", "Quantities received at the buyer's warehouse.")(
        text("receiveStatus", "NOT_RECEIVED, PARTIALLY_RECEIVED or RECEIVED."),
        _quantity("receivedQuantity", "Quantity received so far."),
        date("lastReceiveDate", "When the latest of it was received."),
    ),
)

PURCHASE_ORDER_STATUSES = schema(
    _PURCHASE_ORDER_NUMBER,
    text("purchaseOrderStatus", "OPEN or CLOSED."),
    date("purchaseOrderDate", "When the order was placed."),
    date("lastUpdatedDate", "When the order was last updated; missing on some orders."),
    _order_party("sellingParty", "The seller: the vendor."),
    _order_party("shipToParty", "Destination of the goods."),
    records("itemStatus", "The state of each item.")(
        _SEQUENCE_NUMBER,
        *_ITEM_STATUS,
    ),
)


def _eaches(name: str, description: str) -> Field:
    return count(name, f"In eaches, computed by the tap. {description}.")


PURCHASE_ORDER_STATUS_ITEMS = schema(
    _PURCHASE_ORDER_NUMBER,
    key(_SEQUENCE_NUMBER),
    *_ITEM_STATUS,
    _eaches("originalQuantity", "Ordered at first: the earliest of orderedQuantityDetails"),
    _eaches("currentQuantity", "Ordered now, without what was cancelled"),
    _eaches("cancelledQuantity", "Cancelled: the sum of orderedQuantityDetails"),
    _eaches(
        "acceptedQuantity",
        "Accepted: the sum of acknowledgementStatusDetails. The item's own acceptedQuantity, which "
        "counts without them, may include what was cancelled later. 0 if unconfirmed",
    ),
    _eaches("rejectedQuantity", "Rejected, in the same way"),
    _eaches("receivedQuantity", "Received so far; may exceed what is still ordered"),
    date("lastReceiveDate", "lastReceiveDate of receivingStatus; copied by the tap."),
    text("unitOfMeasure", "Cases or Eaches: what the order counts in; copied by the tap."),
    count("unitSize", "How many eaches a case contains; copied by the tap."),
)

# ---- Shipments -----------------------------------------------------------------------------------


def _weight(name: str, description: str) -> Field:
    return record(name, description)(
        text("unitOfMeasure", "G, Kg, Oz or Lb."),
        decimal("value", "The weight, exact."),
    )


def _shipped_quantity(name: str, description: str) -> Field:
    weight = record("totalWeight", "Weight of goods priced by weight.")(
        text("unitOfMeasure", "POUNDS, OUNCES, GRAMS or KILOGRAMS."),
        decimal("amount", "The weight, exact."),
    )
    return _quantity(name, description, weight)


_SHIPPED_NUMBER = text(
    "itemSequenceNumber", "Number of the item, from 001; containers refer to it."
)

_SHIPPED_PRODUCT = (
    text("buyerProductIdentifier", "ASIN of the item."),
    text("vendorProductIdentifier", "The vendor's own identifier of the item."),
)

_ITEM_OF_SHIPMENT = (
    *_SHIPPED_PRODUCT,
    _shipped_quantity("shippedQuantity", "Quantity shipped."),
    record("maximumRetailPrice", "Maximum retail price.")(
        text("currencyCode", "Currency, ISO 4217, three letters."),
        decimal("amount", "The amount, exact."),
    ),
)


def _shipment_status(name: str) -> Field:
    return text(name, "Created, TransportationRequested, CarrierAssigned or Shipped.")


_SHIPMENT_IDENTIFIER = key(
    text("vendorShipmentIdentifier", "The vendor's identifier of the transport.")
)

VENDOR_SHIPMENTS = schema(
    _SHIPMENT_IDENTIFIER,
    text("transactionType", "Kind of request: New or Cancel."),
    text("buyerReferenceNumber", "The buyer's identifier of a shipment that the buyer collects."),
    date("transactionDate", "When the transport was requested."),
    _shipment_status("currentShipmentStatus"),
    date("currentshipmentStatusDate", "When the status changed last; spelt as Amazon spells it."),
    records("shipmentStatusDetails", "The statuses so far.")(
        _shipment_status("shipmentStatus"),
        date("shipmentStatusDate", "When the carrier last updated it."),
    ),
    date("shipmentCreateDate", "When the vendor created the request."),
    date("shipmentConfirmDate", "When the shipment left the vendor."),
    date("packageLabelCreateDate", "When the buyer created the package label."),
    text("shipmentFreightTerm", "Collect (the buyer pays the freight) or Prepaid."),
    _shipment_party("sellingParty", "The seller: the vendor."),
    _shipment_party("shipFromParty", "Origin of the goods."),
    _shipment_party("shipToParty", "Destination of the goods."),
    record("shipmentMeasurements", "Size of the whole shipment.")(
        count("totalCartonCount", "Cartons, where there are no pallets."),
        count("totalPalletStackable", "Pallets that can be stacked."),
        count("totalPalletNonStackable", "Pallets that cannot be stacked."),
        _weight("shipmentWeight", "Total weight."),
        record("shipmentVolume", "Total volume.")(
            text("unitOfMeasure", "CuFt, CuIn, CuM or CuY."),
            decimal("value", "The volume, exact."),
        ),
    ),
    record("collectFreightPickupDetails", "When a shipment that the buyer collects is picked up.")(
        date("requestedPickUp", "When it can be picked up."),
        date("scheduledPickUp", "When the pick-up is scheduled."),
        date("carrierAssignmentDate", "When a carrier is assigned."),
    ),
    records("purchaseOrders", "The purchase orders in the shipment.")(
        text("purchaseOrderNumber", "Number of the purchase order."),
        date("purchaseOrderDate", "When the order was placed."),
        text(
            "shipWindow",
            "When to ship: text as Amazon sends it, such as 08/25/2021 - 08/31/2021.",
        ),
        records("items", "The order's items in this shipment.")(
            _SHIPPED_NUMBER,
            *_ITEM_OF_SHIPMENT,
        ),
    ),
    record("importDetails", "Details of a direct import.")(
        *_IMPORT_TERMS,
        text("sealNumber", "Number of the container's seal."),
        record("route", "Route of the cargo.")(
            records("stops", "Ports and places on the route.")(
                text("functionCode", "PortOfDischarge, FreightPayableAt or PortOfLoading."),
                record("locationIdentification", "The place.")(
                    text("type", "Kind of identification."),
                    text("locationCode", "Code of the place."),
                    text("countryCode", "Country, ISO 3166-1 alpha-2."),
                ),
                date("arrivalTime", "When the cargo arrives."),
                date("departureTime", "When the cargo departs."),
            ),
        ),
        _weight("billableWeight", "Weight that is billed."),
        date("estimatedShipByDate", "When it is expected to be shipped."),
        text("handlingInstructions", "Oversized, Fragile, Food or HandleWithCare."),
    ),
    records("containers", "The cartons and pallets, and what is in them.")(
        text("containerType", "carton or pallet."),
        text("containerSequenceNumber", "Number of the container within the shipment."),
        records("containerIdentifiers", "Identifiers of the container.")(
            text("containerIdentificationType", "SSCC, AMZNCC, GTIN, BPS or CID."),
            text("containerIdentificationNumber", "The identifier."),
        ),
        text("trackingNumber", "The carrier's tracking number."),
        record("dimensions", "Size of the container.")(
            decimal("length", "Length, exact."),
            decimal("width", "Width, exact."),
            decimal("height", "Height, exact."),
            text("unitOfMeasure", "In, Ft, Meter or Yard."),
        ),
        _weight("weight", "Weight of the container."),
        count("tier", "Layers on the pallet."),
        count("block", "Cartons per layer."),
        record("innerContainersDetails", "The inner containers.")(
            count("containerCount", "Number of containers."),
            records("containerSequenceNumbers", "Their sequence numbers.")(
                text("containerSequenceNumber", "Number of the container."),
            ),
        ),
        records("packedItems", "The items inside.")(
            _SHIPPED_NUMBER,
            *_SHIPPED_PRODUCT,
            _shipped_quantity("packedQuantity", "Quantity packed."),
            record("itemDetails", "Details of the item.")(
                text("purchaseOrderNumber", "Number of the purchase order."),
                text("lotNumber", "Number of the batch or lot."),
                record("expiry", "Shelf life of a perishable item.")(
                    date("manufacturerDate", "When it was produced or packed."),
                    date("expiryDate", "Expiry date."),
                    record("expiryAfterDuration", "Time it can be used after production.")(
                        text("durationUnit", "Days or Months."),
                        count("durationValue", "Number of days or months."),
                    ),
                ),
            ),
        ),
    ),
    record("transportationDetails", "How and when it is transported.")(
        text("shipMode", "TruckLoad, LessThanTruckLoad or SmallParcel."),
        text("transportationMode", "Road, Air or Ocean."),
        date("shippedDate", "When the vendor shipped it."),
        date("estimatedDeliveryDate", "When delivery is expected."),
        date("shipmentDeliveryDate", "When it is delivered."),
        record("carrierDetails", "The carrier.")(
            text("name", "Name of the carrier."),
            text("code", "Code of the carrier, such as its SCAC."),
            *personal(
                text("phone", "Telephone number of the carrier."),
                text("email", "E-mail address of the carrier."),
            ),
            text("shipmentReferenceNumber", "The carrier's number of the shipment (PRO)."),
        ),
        text("billOfLadingNumber", "Number of the bill of lading."),
    ),
)

VENDOR_SHIPMENT_ITEMS = schema(
    _SHIPMENT_IDENTIFIER,
    key(
        text(
            "purchaseOrderNumber",
            "Number of the purchase order that it is shipped for; empty if Amazon names none.",
        )
    ),
    key(_SHIPPED_NUMBER),
    *_ITEM_OF_SHIPMENT,
)
