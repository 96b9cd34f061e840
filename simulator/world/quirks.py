"""The shares of odd rows; every kind was seen in Amazon's samples or reported by users."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, kw_only=True)
class RowQuirks:
    """Shares of rows; zero turns a kind off.

    Attributes:
        unknown_field: Fields no model has; their names begin with `undocumented`.
        unknown_value: Values outside the documented lists, such as `CASES`.
        no_state: purchaseOrderState is missing although the model requires it.
        missing_date: One of an order's dates is missing.
        no_dates: All of an order's dates are missing.
        null_object: Optional objects are null.
        offset: Dates carry an offset such as `+02:00`.
        plain_date: Amazon Business dates are strings instead of `{"date": ...}`.
        other_number: A report names another purchase order number than its own.
        no_number: A report names none.
        respelled: A report names its purchase order in another case, or with spaces around.
        odd_amount: Amounts of Amazon Business of an unusual scale, such as a trillion.
        late_invoice: Fresh invoices and payments are not complete until the books are closed.
        random: Quantities, amounts and dates are drawn one by one. If none are, they go together as
            those of a business do.
        other_status_date: The purchaseOrderDate of a status is not its order's.
        integer: Numbers of digits alone, of purchase orders and orders, are JSON integers.
    """

    unknown_field: float = 0.06
    unknown_value: float = 0.02
    no_state: float = 0.01
    missing_date: float = 0.02
    no_dates: float = 0.003
    null_object: float = 0.08
    offset: float = 0.15
    plain_date: float = 0.5
    other_number: float = 0.02
    no_number: float = 0.02
    respelled: float = 0.0
    odd_amount: float = 0.05
    late_invoice: float = 0.3
    random: float = 1.0
    other_status_date: float = 0.0
    integer: float = 0.0

    def number(self, text: str, seed: int) -> str | int:
        """Return a purchase order number or order id as a row shows it.

        Args:
            text: The number.
            seed: The row's seed.
        """
        whole = text.isascii() and text.isdigit() and text[0] != "0"
        as_integer = whole and Random(seed + 99).random() < self.integer
        return int(text) if as_integer else text


NO_ROW_QUIRKS = RowQuirks(**dict.fromkeys(RowQuirks.__dataclass_fields__, 0.0))
