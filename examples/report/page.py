"""The page: every question with its answers, in one file that asks for nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jinja2

from examples.report.charts import chart_of
from examples.report.questions import QUESTIONS
from examples.report.results import ask

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from examples.report.questions import Query, Question, Side
    from examples.report.results import Result

TITLE = "Amazon purchase orders and spend"
_API = {"vendor": "the Selling Partner API", "business": "Amazon Business"}


@dataclass(frozen=True)
class Answer:
    """A query and its result.

    Attributes:
        query: The query.
        result: What it returned.
        side: The credential set that its tables come from.
    """

    query: Query
    result: Result
    side: Side

    @property
    def chart(self) -> str | None:
        """The result as SVG; None where a table tells it, or nothing is to be told."""
        return chart_of(self.query.name, self.result)

    @property
    def why_empty(self) -> str:
        """What a reader should know where there are no rows."""
        if not self.result.exists:
            return (
                f"Not built: the models of {_API[self.side]} are switched off, or dbt has not run."
            )
        return (
            f"No rows. They come from {_API[self.side]}, if the tap has its credentials and the "
            "streams are selected."
        )


def sections(connection: duckdb.DuckDBPyConnection) -> list[tuple[Question, list[Answer]]]:
    """Return every question with its answers."""
    return [
        (
            question,
            [Answer(query, ask(connection, query), question.side) for query in question.queries],
        )
        for question in QUESTIONS
    ]


def page(connection: duckdb.DuckDBPyConnection, *, made: datetime, note: str = "") -> str:
    """Return the page as HTML.

    Args:
        connection: A warehouse with the tables of `dbt/` in its schema `analytics`.
        made: The moment that the page names; UTC.
        note: A sentence below the title.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("examples.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("page.html").render(
        title=TITLE,
        note=note,
        made=f"{made:%Y-%m-%d %H:%M} UTC",
        sections=sections(connection),
    )
