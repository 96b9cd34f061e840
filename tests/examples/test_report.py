"""The page of examples/report and docs/answers.md: what they tell, and how the page looks."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from examples.report.__main__ import main
from examples.report.page import page
from examples.report.questions import QUESTIONS
from tests.examples.answers import ANSWERS, PICTURE, answers, report, warehouse
from tests.support.browser import browser
from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.browser import Page

CHARTS = {"open_value_by_age", "rates_by_week", "spend_by_month", "spend_by_cost_centre"}
QUERIES = [query for question in QUESTIONS for query in question.queries]
TABLES = {
    "vendor": ("open_purchase_orders", "vendor_scorecard"),
    "business": ("spend_by_month", "spend_by_purchase_order", "purchase_reconciliation"),
}
LOOKS = [(width, dark) for width in (390, 1280) for dark in (False, True)]

# Charts that can be seen, as the ids of their cards.
SHOWN = """
[...document.querySelectorAll(".chart svg")].filter(chart => {
  const box = chart.getBoundingClientRect();
  return box.height > 50 && box.width > 200 && box.left >= 0 && box.right <= innerWidth
    && chart.querySelectorAll("text").length > 2;
}).map(chart => chart.closest("article").id)
"""
# The least contrast between a text and what is behind it, as WCAG defines it.
CONTRAST = """
(() => {
  const rgb = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => rgb(colour).slice(0, 3).map(part => part / 255)
    .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return rgb(colour)[3] === 0 ? behind(element.parentElement) : colour;
  };
  const texts = document.querySelectorAll("h1, h2, h3, p, th, td, summary, pre, svg text");
  return Math.min(...[...texts].map(text => {
    const style = getComputedStyle(text);
    const pair = [light(text.closest("svg") ? style.fill : style.color), light(behind(text))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  }));
})()
"""
# The smallest letters of the charts, in pixels of the screen.
LETTERS = """
Math.min(...[...document.querySelectorAll("svg text")].map(text =>
  parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))
"""


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse that is always the same."""
    return warehouse(tmp_path_factory.mktemp("seeded"))


@pytest.fixture(scope="module")
def html(seeded: Path) -> str:
    """Return the page of that warehouse."""
    return report(seeded)


@pytest.fixture
def shown() -> Iterator[Page]:
    """Return a page of a browser's."""
    with browser() as page:
        yield page


def written(folder: Path, html: str) -> Path:
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


# ---- what it tells -------------------------------------------------------------------------------


@pytest.mark.end_to_end
def test_the_answers_are_those_of_the_queries(seeded: Path) -> None:
    assert ANSWERS.read_text(encoding="utf-8") == answers(seeded), "run: make answers"


@pytest.mark.end_to_end
def test_the_page_has_each_answer_with_its_sql(html: str) -> None:
    html = html.replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")
    assert [query.name for query in QUERIES if query.sql not in html] == []
    assert html.count("<table>") == len(QUERIES)
    assert "5,794.12" in html  # an amount with its cents


@pytest.mark.end_to_end
@pytest.mark.parametrize("missing", TABLES)
@pytest.mark.parametrize("statement", ["delete from", "drop table"])
def test_one_credential_set_alone_makes_a_page(
    missing: str, statement: str, seeded: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(seeded, copy)
    with duckdb.connect(str(copy)) as connection:
        for table in TABLES[missing]:
            connection.execute(f"{statement} analytics.{table}")
    html = report(copy)
    told = "No rows. They come from" if statement == "delete from" else "Not built: the models of"
    empty = sum(len(question.queries) for question in QUESTIONS if question.side == missing)
    assert html.count(told) == empty
    assert html.count("<table>") == len(QUERIES) - empty


def test_what_comes_from_the_warehouse_is_text() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema analytics; create table analytics.open_purchase_orders as select "
            "'<script>alert(1)</script>' as purchase_order_number, date '2026-05-01' as "
            "promised_until, 3 as days_late, 1 as open_quantity, 1.5::decimal(38, 9) as "
            "open_value, '<b>' as currency"
        )
        html = page(connection, made=datetime(2026, 6, 1, tzinfo=UTC), note="<i>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not {tag for tag in ("<script", "<b>", "<i>") if tag in html}


def test_every_query_has_a_file_and_every_file_is_asked() -> None:
    files = {path.stem for path in (PROJECT / "examples/report/queries").iterdir()}
    assert files == {query.name for query in QUERIES}


def test_a_warehouse_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.duckdb"
    with pytest.raises(SystemExit, match=r"missing\.duckdb: .*does not exist"):
        main(["--warehouse", str(missing), "--output", str(tmp_path / "report.html")])
    assert not any(tmp_path.iterdir())


# ---- how it looks --------------------------------------------------------------------------------


@pytest.mark.end_to_end
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_page_fits_and_reads(
    *, width: int, dark: bool, html: str, tmp_path: Path, shown: Page
) -> None:
    path = written(tmp_path, html)
    shown.open(path, width=width, dark=dark)
    assert set(shown.evaluate(SHOWN)) == CHARTS
    assert shown.evaluate(LETTERS) > 10
    shown.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate(CONTRAST) >= 4.5
    assert shown.complaints == []
    assert shown.requests == [path.as_uri()]


@pytest.mark.end_to_end
def test_dark_is_dark(html: str, tmp_path: Path, shown: Page) -> None:
    path = written(tmp_path, html)
    colours = []
    for dark in (False, True):
        shown.open(path, width=390, dark=dark)
        colours.append(shown.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(244, 245, 247)", "rgb(17, 22, 29)"]


@pytest.mark.end_to_end
def test_the_page_may_ask_for_nothing(html: str, tmp_path: Path, shown: Page) -> None:
    picture = '<img src="http://127.0.0.1:9/x.png">'
    path = written(tmp_path, html.replace("</main>", picture + "</main>"))
    shown.open(path, width=390, dark=False)
    assert any("Content Security Policy" in told for told in shown.complaints)


def test_the_picture_of_the_page_is_small() -> None:
    picture = PICTURE.read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 150_000
    assert f"docs/{PICTURE.name}" in (PROJECT / "README.md").read_text(encoding="utf-8")
