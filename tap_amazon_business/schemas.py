"""Schema fragments that the streams share.

Field names are Amazon's. Values that Amazon documents as enums are described, never enforced: new
ones appear without notice, and a record must not be refused for it.
"""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

# An exact decimal as text. With precision and scale, loaders that know the format make a numeric
# column of it; without them some would round to whole numbers. Text also survives where the amount
# stays inside JSON, where a number would be read as a float.
DECIMAL: dict[str, Any] = {
    "type": ["string", "null"],
    "format": "x-singer.decimal",
    "precision": 38,
    "scale": 9,
}

Field = th.Property[Any]


def text(name: str, description: str) -> Field:
    """Return a text field."""
    return th.Property(name, th.StringType, description=description)


def date(name: str, description: str) -> Field:
    """Return a date-time field, UTC."""
    return th.Property(name, th.DateTimeType, description=description)


def count(name: str, description: str) -> Field:
    """Return a field of whole numbers."""
    return th.Property(name, th.IntegerType, description=description)


def flag(name: str, description: str) -> Field:
    """Return a field that is true or false."""
    return th.Property(name, th.BooleanType, description=description)


def decimal(name: str, description: str) -> Field:
    """Return a field of exact decimals, as text."""
    return th.Property(name, th.CustomType(DECIMAL), description=description)


def record(name: str, description: str, *fields: Field) -> Field:
    """Return a field that holds an object."""
    return th.Property(name, th.ObjectType(*fields), description=description)


def records(name: str, description: str, *fields: Field) -> Field:
    """Return a field that holds an array of objects."""
    return th.Property(name, th.ArrayType(th.ObjectType(*fields)), description=description)


def texts(name: str, description: str) -> Field:
    """Return a field that holds an array of texts."""
    return th.Property(name, th.ArrayType(th.StringType), description=description)


def mapping(name: str, description: str) -> Field:
    """Return a field that holds an object of arbitrary keys with text values."""
    return th.Property(
        name,
        th.ObjectType(additional_properties=th.StringType(nullable=True)),
        description=description,
    )


def key(field: Field) -> Field:
    """Make a field part of a key: required, never null."""
    field.optional = False
    return field


def schema(*fields: Field) -> dict[str, Any]:
    """Return the JSON schema of a stream with these fields."""
    return th.PropertiesList(*fields).to_dict()


# ---- Selling Partner API -------------------------------------------------------------------------


def vendor_money(name: str, description: str) -> Field:
    """Return a Money object of the vendor APIs."""
    return record(
        name,
        description,
        text("currencyCode", "Currency, ISO 4217, three letters."),
        decimal("amount", "The amount, exact."),
        text(
            "unitOfMeasure",
            "Unit that the price is for where goods are sold by weight (POUNDS, OUNCES, GRAMS, "
            "KILOGRAMS); missing where they are sold by eaches.",
        ),
    )


def quantity(name: str, description: str) -> Field:
    """Return an ItemQuantity object of the vendor APIs."""
    return record(
        name,
        description,
        count("amount", "How many units."),
        text("unitOfMeasure", "Cases or Eaches."),
        count("unitSize", "How many eaches a case holds, where cases were ordered."),
    )


def party(name: str, description: str) -> Field:
    """Return a PartyIdentification object of the vendor APIs."""
    return record(
        name,
        description,
        text("partyId", "Identifier of the party, such as a warehouse or vendor code."),
        record(
            "address",
            "The party's address.",
            text("name", "Name of the person, business or institution."),
            text("addressLine1", "First line of the address."),
            text("addressLine2", "Second line of the address."),
            text("addressLine3", "Third line of the address."),
            text("city", "City."),
            text("county", "County."),
            text("district", "District."),
            text("stateOrRegion", "State or region."),
            text("postalCode", "Postal code."),
            text("countryCode", "Country, ISO 3166-1 alpha-2."),
            text("phone", "Telephone number."),
        ),
        record(
            "taxInfo",
            "The party's tax registration.",
            text("taxRegistrationType", "Kind of registration, such as VAT or GST."),
            text("taxRegistrationNumber", "Registration number, such as a VAT id."),
        ),
    )


# ---- Amazon Business API -------------------------------------------------------------------------


def money(name: str, description: str) -> Field:
    """Return a Money object of the Amazon Business APIs."""
    return record(
        name,
        description,
        text("currencyCode", "Currency, ISO 4217, three letters."),
        decimal("amount", "The amount, exact."),
    )


def charges() -> Field:
    """Return the list of charges that reports carry."""
    return records(
        "charges",
        "What was charged, by type.",
        text("type", "SUBTOTAL, SHIPPING_AND_HANDLING, PROMOTION, TAX or NET_TOTAL."),
        money("amount", "The charge's amount."),
    )


def customer(name: str, description: str) -> Field:
    """Return a Customer object: personal data."""
    return record(
        name, description, text("name", "The person's name."), text("email", "The e-mail address.")
    )


def order_metadata() -> tuple[Field, ...]:
    """Return the fields of orderMetadata, which stand at the record's top level."""
    return (
        date("orderDate", "When the order was placed."),
        key(text("orderId", "Amazon's identifier of the order.")),
        text("region", "Region code of the order, such as US or DE."),
    )
