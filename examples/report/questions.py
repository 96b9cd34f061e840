"""What people ask of the tables that dbt/ makes, and the queries that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_QUERIES = Path(__file__).parent / "queries"

Side = Literal["vendor", "business"]
"""The credential set that a question needs."""


@dataclass(frozen=True)
class Query:
    """A query and how to read its result.

    Attributes:
        name: Name of the file in `queries/`, without its ending.
        title: What the result is.
        note: What it shows.
    """

    name: str
    title: str
    note: str

    @property
    def sql(self) -> str:
        """The query, for DuckDB, PostgreSQL and Snowflake."""
        return (_QUERIES / f"{self.name}.sql").read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class Question:
    """A question and the queries that answer it."""

    title: str
    side: Side
    queries: tuple[Query, ...]


QUESTIONS = (
    Question(
        "Which purchase orders are open and late?",
        "vendor",
        (
            Query(
                "open_value_by_age",
                "Open value by age",
                "Value Amazon is still waiting for, by days since the promised window ended.",
            ),
            Query(
                "late_purchase_orders",
                "The longest overdue",
                "Purchase orders that are open past their window.",
            ),
        ),
    ),
    Question(
        "What share was confirmed and received?",
        "vendor",
        (
            Query(
                "rates_by_week",
                "Confirmation rate and fill rate by week of order",
                "Confirmed, of the units first ordered; received, of the units that are due.",
            ),
            Query(
                "rates_by_warehouse",
                "Rates by warehouse",
                "On time: of the units received, those that came within their window.",
            ),
        ),
    ),
    Question(
        "What was spent?",
        "business",
        (
            Query(
                "spend_by_month",
                "Spend by month",
                "Placed orders, tax and shipping included. Neither cancelled ones nor those that "
                "await approval.",
            ),
            Query(
                "spend_by_cost_centre",
                "Spend by cost centre",
                "The same orders, by the cost centre that they name.",
            ),
            Query(
                "spend_by_approver",
                "Spend by month and approver",
                "Approvers are people: share this with care.",
            ),
            Query(
                "spend_by_purchase_order",
                "Spend by purchase order",
                "All Amazon Business orders of a purchase order number, the largest five of each "
                "currency.",
            ),
        ),
    ),
    Question(
        "Do order, shipment, invoice and payment agree?",
        "business",
        (
            Query(
                "mismatches",
                "Order lines by mismatch",
                "A line with several mismatches counts under the first of them.",
            ),
            Query(
                "mismatched_lines",
                "The largest mismatches",
                "Lines whose charges are furthest from what is expected.",
            ),
        ),
    ),
)
