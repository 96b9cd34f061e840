"""The page: headline figures, and every question with its answers, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jinja2

from report.charts import chart_of
from report.questions import HEADLINES, QUESTIONS
from report.results import MOST_ROWS, ask, day, has_rows, text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import duckdb

    from report.questions import Query
    from report.results import Result

TITLE = "Amazon purchase orders and spend"
_MOST_CURRENCIES = 3
_WIDE = 5


@dataclass(frozen=True)
class Answer:
    """A query and its result.

    Attributes:
        query: The query.
        result: What it returned.
    """

    query: Query
    result: Result

    @cached_property
    def chart(self) -> str | None:
        """The result as SVG; None where a table shows it, or there is nothing to show."""
        return chart_of(self.query.name, self.result)

    @property
    def is_wide(self) -> bool:
        """Whether its table needs the whole width."""
        return not self.chart and len(self.result.shown) > _WIDE

    @property
    def rows_beside(self) -> bool:
        """Whether the figures of its chart are few enough to appear beside it."""
        return bool(self.chart) and len(self.result.rows) <= MOST_ROWS


@dataclass(frozen=True)
class Headline:
    """A figure at the top.

    Attributes:
        query: Where it comes from.
        figures: Its value in each currency with the unit, and what it is of.
        when: Its date.
    """

    query: Query
    figures: list[tuple[str, str]]
    when: str


@dataclass(frozen=True)
class Contents:
    """What a page shows of a warehouse.

    Attributes:
        headlines: The figures at the top.
        sections: The questions that the account has answers to; answers in rows of cards.
        behind: The queries of the headlines.
        missing: The answers that are left out, as titles.
        streams: The streams to select for them.
    """

    headlines: list[Headline]
    sections: list[tuple[str, list[list[Answer]]]]
    behind: list[Answer]
    missing: list[str]
    streams: list[str]


def contents(connection: duckdb.DuckDBPyConnection) -> Contents:
    """Return what a page shows of a warehouse: what it has the tables for."""
    queries = [*HEADLINES, *(query for question in QUESTIONS for query in question.queries)]
    found = {source: has_rows(connection, source) for source in {one.source for one in queries}}

    def answers(wanted: Iterable[Query]) -> list[Answer]:
        return [Answer(query, ask(connection, query)) for query in wanted if found[query.source]]

    behind = answers(HEADLINES)
    sections = [(question.title, answers(question.queries)) for question in QUESTIONS]
    missing = [query for query in queries if not found[query.source]]
    return Contents(
        headlines=[_headline(answer) for answer in behind],
        sections=[(title, _in_rows(shown)) for title, shown in sections if shown],
        behind=behind,
        missing=[query.title for query in missing],
        streams=sorted({stream for query in missing for stream in query.streams}),
    )


def page(
    connection: duckdb.DuckDBPyConnection,
    *,
    made: datetime,
    note: str = "",
    tables: str = "",
) -> str:
    """Return the page as HTML.

    Args:
        connection: A warehouse with the tables of `dbt/` in its schema `analytics`.
        made: The moment that the page names; UTC.
        note: A sentence below the title.
        tables: The folder of the CSV files beside the page; without one, no table links to a file.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("page.html").render(
        title=TITLE,
        note=note,
        made=text(made, ""),
        tables=tables,
        contents=contents(connection),
    )


def _in_rows(answers: list[Answer]) -> list[list[Answer]]:
    """Return answers in rows of cards: one that needs the whole width is alone in its row."""
    rows: list[list[Answer]] = []
    for answer in answers:
        alone = answer.is_wide or not rows or rows[-1][0].is_wide
        rows.append([answer]) if alone else rows[-1].append(answer)
    return rows


def _headline(answer: Answer) -> Headline:
    query, result = answer.query, answer.result
    records = result.records()
    figures = [
        (result.text(record, query.name), _details(result, record))
        for record in records[:_MOST_CURRENCIES]
    ]
    if len(records) > _MOST_CURRENCIES:
        figures.append((f"and {len(records) - _MOST_CURRENCIES} more currencies", ""))
    return Headline(query, figures or [("none", "")], _when(records))


def _when(records: list[dict[str, Any]]) -> str:
    match records:
        case [{"month": month}, *_]:
            return f"{month:%B %Y}"
        case [{"as_of": moment}, *_]:
            return day(moment)
        case _:
            return ""


def _details(result: Result, record: dict[str, Any]) -> str:
    """Return what a figure is of."""
    match record:
        case {"purchase_orders": count}:
            return _counted(count, "purchase order")
        case {"order_lines": count}:
            return _counted(count, "order line")
        case {"units_due": count}:
            return f"of {count:,} units due"
        case {"spend": spend, "month_before": before}:
            change = f", {spend / before - 1:+.0%}" if before else ""
            return f"{result.text(record, 'month_before')} the month before{change}"
        case _:
            return ""


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
