"""Products, parties and people that rows are put together from, encoded once."""

from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from simulator.encoding import decode, encode
from simulator.world.plausible import currency_of, goods
from simulator.world.quirks import RowQuirks

VENDOR_CODES = ("999US", "API01")
WAREHOUSES = ("ABE2", "BFI4", "DUS2", "ONT8", "YYZ4")

_PRODUCTS = 600
_ODD_AMOUNTS = (
    "140",
    "15.62",
    "0.1",
    "346.2700",
    "1234567890.123456789",
    "1E+2",
    "0",
    "-12.50",
    "0.000000001",
)
_ODD_NUMBERS = tuple(
    Decimal(text) for text in ("19.90", "1234567.89", "0.1", "12345678901234.5678", "7", "-3.30")
)
_PEOPLE = (
    ("Ada Beispiel", "ada@buyer.example"),
    ("Jörg Müller-Lüdenscheidt", "joerg.mueller@buyer.example"),
    ("Chloë O'Brien", "chloe+office@buyer.example"),
    ("山田 太郎", "taro@buyer.example"),
    ("Nadia", None),
)
_GROUPS = ("Facilities", "R&D", "Büro München", "IT / Hardware")


class Catalogue:
    """Parts of rows, drawn by seed."""

    def __init__(self, seed: int, quirks: RowQuirks) -> None:
        rng = Random(f"catalogue {seed}")
        self._quirks = quirks
        self.products = [self._product(rng, number) for number in range(_PRODUCTS)]
        self.decoded_products = [decode(b"{%b}" % product) for product in self.products]
        self.units = [self._unit(rng) for _ in self.products]
        self.buyers = [self._buyer(rng, code) for code in WAREHOUSES]
        self.sellers = {
            VENDOR_CODES[0]: msgspec.Raw(encode({"partyId": VENDOR_CODES[0]})),
            VENDOR_CODES[1]: msgspec.Raw(
                encode({"partyId": VENDOR_CODES[1], **party_details("Verkäufer KG", rng)})
            ),
        }
        self.people = [
            {"name": name, "email": email} if email else {"name": name} for name, email in _PEOPLE
        ]
        self.groups = [{"name": name} for name in _GROUPS]

    def _product(self, rng: Random, number: int) -> bytes:
        """Return the inside of an item object that depends on the product alone."""
        odd = number < len(_ODD_AMOUNTS)
        cents = 0 if odd else rng.randrange(1, 50_000)
        net = _ODD_AMOUNTS[number] if odd else _price(cents, short=number % 3 == 0)
        currency = rng.choice(("USD", "USD", "USD", "EUR", "CAD", "JPY"))
        listed = net
        if not self._quirks.random:
            *_, cents = goods(number)
            net, listed, currency = _cents(cents * 6 // 10), _cents(cents), currency_of(number)
        product: dict[str, Any] = {
            "amazonProductIdentifier": f"B0{rng.randrange(10**8):08d}",
            "vendorProductIdentifier": f"{rng.randrange(10**13):013d}",
            "isBackOrderAllowed": rng.random() < 0.5,
            "netCost": {"amount": net, "currencyCode": currency},
            "listPrice": {"amount": listed, "currencyCode": currency},
        }
        if rng.random() < 0.1 and self._quirks.random:
            for price in ("netCost", "listPrice"):
                product[price]["unitOfMeasure"] = rng.choice(("POUNDS", "KILOGRAMS"))
        if rng.random() < 0.1:
            del product["listPrice"]
        elif rng.random() < self._quirks.null_object:
            product["listPrice"] = None
        if rng.random() < 0.05:
            del product["vendorProductIdentifier"]
        if rng.random() < self._quirks.unknown_field:
            product["undocumentedItemField"] = {"undocumentedPart": number}
        return encode(product)[1:-1]

    def _unit(self, rng: Random) -> bytes:
        """Return the inside of a quantity object that depends on the product alone."""
        size = rng.choice((1, 1, 1, 6, 10))
        unit = "Eaches" if size == 1 else "Cases"
        if rng.random() < self._quirks.unknown_value:
            unit = "CASES"
        return encode({"unitOfMeasure": unit, "unitSize": size})[1:-1]

    def _buyer(self, rng: Random, code: str) -> msgspec.Raw:
        """Return a warehouse of the buyer; some come with address and tax number."""
        party: dict[str, Any] = {"partyId": code}
        if rng.random() < 0.6:
            party |= party_details(f"Warehouse {code}", rng)
        elif rng.random() < self._quirks.null_object:
            party["address"] = None
        return msgspec.Raw(encode(party))


def party_alone(party: msgspec.Raw) -> dict[str, Any]:
    """Return a party's id without its address and tax number."""
    return {"partyId": decode(bytes(party))["partyId"]}


def _cents(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _price(cents: int, *, short: bool) -> str:
    """Return a price such as `19.80`, or `19.8` and `22` if it is short."""
    text = f"{cents // 100}.{cents % 100:02}"
    return text.rstrip("0").rstrip(".") if short else text


def party_details(name: str, rng: Random) -> dict[str, Any]:
    """Return a party's address and tax number, with every field of Amazon's model."""
    return {
        "address": {
            "name": name,
            "addressLine1": "Straße der Einheit 1",
            "addressLine2": "Dock 4",
            "addressLine3": "Gate B",
            "city": "Werne",
            "county": "Unna",
            "district": "Nord",
            "stateOrRegion": "NW",
            "postalCode": "59368",
            "countryCode": "DE",
            "phone": "+49 2389 0000",
        },
        "taxInfo": {
            "taxRegistrationType": rng.choice(("VAT", "GST")),
            "taxRegistrationNumber": f"DE{rng.randrange(10**9):09d}",
        },
    }


def amount(rng: Random, odd: float = RowQuirks.odd_amount) -> Decimal:
    """Return an amount of money of the Amazon Business API, a share of them of an unusual scale."""
    if rng.random() < odd:
        return rng.choice(_ODD_NUMBERS)
    return Decimal(rng.randrange(1, 200_000)).scaleb(-2)
