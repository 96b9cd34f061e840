"""What people ask of the tables that dbt/ makes, and the queries that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_QUERIES = Path(__file__).parent / "queries"

Side = Literal["vendor", "business"]
"""The credential set that a query needs."""


@dataclass(frozen=True)
class Query:
    """A query and how to read its result.

    Attributes:
        name: Name of the file in `queries/`, without its ending.
        title: What the result is.
        note: How to read it.
        side: The credential set that its tables come from.
        streams: The streams without which it has no answer.
        source: A table, perhaps with a condition, that has rows where these streams have.
    """

    name: str
    title: str
    note: str
    side: Side
    streams: tuple[str, ...]
    source: str

    @property
    def sql(self) -> str:
        """The query, for DuckDB, PostgreSQL and Snowflake."""
        return (_QUERIES / f"{self.name}.sql").read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class Question:
    """A question and the queries that answer it."""

    title: str
    queries: tuple[Query, ...]


_LINES = "purchase_order_lines"
_STATUS = "purchase_order_lines where has_status"
_COMPARED = "purchase_reconciliation where agreement is not null"
_STATUS_STREAMS = ("purchase_orders", "purchase_order_statuses")
_COMPARED_STREAMS = ("order_line_items", "shipment_line_items", "transactions")


def _open(name: str, title: str, note: str) -> Query:
    return Query(name, title, note, "vendor", ("purchase_orders",), _LINES)


def _status(name: str, title: str, note: str) -> Query:
    return Query(name, title, note, "vendor", _STATUS_STREAMS, _STATUS)


def _spend(name: str, title: str, note: str) -> Query:
    return Query(name, title, note, "business", ("orders",), "order_spend")


def _compared(name: str, title: str, note: str) -> Query:
    return Query(name, title, note, "business", _COMPARED_STREAMS, _COMPARED)


HEADLINES = (
    _open("open_value", "Open value", "Ordered, and neither received nor rejected."),
    _open("overdue_value", "Overdue value", "Open for a full day or more after the window ended."),
    _status(
        "fill_rate", "Fill rate", "Received, of the units ordered whose window ended in the month."
    ),
    _spend("spend", "Spend", "Placed orders, with tax and shipping."),
    _compared("at_stake", "Amounts at stake", "Amounts that do not agree."),
)
"""The figures at the top of the page."""

QUESTIONS = (
    Question(
        "Which purchase orders are open and late?",
        (
            _open(
                "open_value_by_age",
                "Open value by age",
                "The value that Amazon is still waiting for, by the full days since the promised "
                "window ended.",
            ),
            _open(
                "late_purchase_orders",
                "Overdue purchase orders",
                "Open for a full day or more after the window ended, the largest amounts first.",
            ),
            _open(
                "purchase_orders_at_risk",
                "Purchase orders that will be late",
                "Their window ends within three days, and some units have not left.",
            ),
        ),
    ),
    Question(
        "What share was confirmed and received?",
        (
            _status(
                "rates_by_week",
                "Confirmation rate and fill rate by week of order",
                "Confirmed, of the units first ordered; received, of the units that are due. Later "
                "changes can raise or lower what is ordered.",
            ),
            _status(
                "rates_by_warehouse",
                "Rates by warehouse",
                "On time: of the units received, those that came within their window.",
            ),
            _status(
                "confirmed_not_received",
                "Confirmed and not received, by item",
                "Lines that are due: what Amazon may charge back.",
            ),
        ),
    ),
    Question(
        "What was spent?",
        (
            _spend(
                "spend_by_month",
                "Spend by month",
                "Placed orders, tax and shipping included. Neither cancelled ones nor those that "
                "await approval.",
            ),
            _spend(
                "spend_by_cost_centre",
                "Spend by cost centre",
                "The same orders, by the cost centre that they name.",
            ),
            Query(
                "spend_by_category",
                "Spend by product category",
                "Lines of placed orders, tax included, shipping not.",
                "business",
                ("orders", "order_line_items"),
                "purchase_reconciliation where has_order_line",
            ),
            _spend(
                "spend_by_approver",
                "Spend by approver",
                "Who approved last. Approvers are people: share this with care.",
            ),
            Query(
                "spend_by_purchase_order",
                "Spend by purchase order",
                "All Amazon Business orders of a purchase order number, the largest first.",
                "business",
                ("orders", "order_reports"),
                "spend_by_purchase_order",
            ),
            Query(
                "order_reports_by_number",
                "Orders that name a purchase order",
                "Buyers type numbers of their own, too. Case and outer spaces do not matter.",
                "business",
                ("order_reports",),
                "order_report_matches",
            ),
            Query(
                "days_to_delivery_by_seller",
                "Days from order to delivery, by seller",
                "Whole days until the receiver confirmed a line, the slowest seller first.",
                "business",
                ("order_line_items", "shipment_line_items"),
                "purchase_reconciliation where days_to_delivery is not null",
            ),
        ),
    ),
    Question(
        "Do order, shipment, invoice and payment agree?",
        (
            _compared(
                "agreement",
                "Order lines by agreement",
                "Nothing is compared for lines that were not shipped or charged yet.",
            ),
            _compared(
                "mismatched_lines",
                "Mismatches",
                "The lines that differ, the largest amount at stake first.",
            ),
            _compared(
                "price_differences",
                "Price differences",
                "Lines that were charged at another unit price than they were ordered at.",
            ),
        ),
    ),
)
