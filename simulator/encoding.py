"""JSON in and out, with decimals written and read digit by digit."""

from decimal import Decimal
from typing import Any

import msgspec

Row = dict[str, Any]
"""One decoded row of either API; numbers with a point or an exponent are `Decimal`."""


def encode(value: object) -> bytes:
    """Return JSON; `Decimal` as a number with exactly its digits, `msgspec.Raw` as it is."""
    return _ENCODER.encode(value)


def decode(body: bytes) -> Row:
    """Return a JSON object; numbers with a point or an exponent become `Decimal`."""
    row: Row = _DECODER.decode(body)
    return row


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
