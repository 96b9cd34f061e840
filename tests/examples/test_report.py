"""The page of `report/` and docs/answers.md: what they say, and how the page looks."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING

import duckdb
import pytest

from report.__main__ import main, write
from report.page import page
from report.questions import HEADLINES, QUESTIONS
from report.results import Result
from tools import PROJECT
from tools.answers import ANSWERS, PICTURE, answers, report, warehouse
from tools.browser import browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.browser import Page

CHARTS = {"open_value_by_age", "rates_by_week", "spend_by_month", "spend_by_cost_centre"}
QUERIES = [*HEADLINES, *(query for question in QUESTIONS for query in question.queries)]
TABLES = {
    "vendor": ("purchase_order_lines", "open_purchase_orders", "vendor_scorecard"),
    "business": (
        *("order_spend", "spend_by_month", "spend_by_purchase_order"),
        *("order_report_matches", "purchase_reconciliation"),
    ),
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


# ---- what it shows -------------------------------------------------------------------------------


@pytest.mark.end_to_end
def test_the_answers_are_those_of_the_queries(seeded: Path) -> None:
    assert ANSWERS.read_text(encoding="utf-8") == answers(seeded), "run: make answers"


@pytest.mark.end_to_end
def test_the_page_has_each_answer_with_its_sql(html: str) -> None:
    html = unescape(html)
    assert [query.name for query in QUERIES if query.sql not in html] == []
    assert html.count("<table>") == len(QUERIES)
    assert "Left out" not in html


@pytest.mark.end_to_end
def test_the_page_begins_with_figures_that_link_to_their_queries(html: str) -> None:
    header, _, rest = html.partition("</ul>")
    for query in HEADLINES:
        card = re.search(
            rf"<h2>{query.title}</h2>(.+?)<a href=\"#{query.name}\">", header, re.DOTALL
        )
        assert card
        assert re.search(r"[\d,.]+ (USD|CAD|EUR)|[\d.]+%", card[1])
        assert re.search(r"(\d+ Jun|May) 2026", card[1])
        assert f'id="{query.name}"' in rest


@pytest.mark.end_to_end
@pytest.mark.parametrize("missing", TABLES)
@pytest.mark.parametrize("statement", ["delete from", "drop table"])
def test_what_an_account_lacks_is_one_line(
    missing: str, statement: str, seeded: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(seeded, copy)
    with duckdb.connect(str(copy)) as connection:
        for table in TABLES[missing]:
            connection.execute(f"{statement} analytics.{table}")
    html = report(copy)
    kept = [query for query in QUERIES if query.side != missing]
    assert html.count("<table>") == len(kept)
    assert [query.title for query in QUERIES if f"<h3>{query.title}</h3>" in html] == [
        query.title for query in QUERIES if query in kept
    ]
    (line,) = re.findall("<p.+Left out.+</p>", html)
    wanted = {stream for query in QUERIES if query.side == missing for stream in query.streams}
    assert f"Select the streams {', '.join(sorted(wanted))}." in line


@pytest.mark.end_to_end
def test_a_table_of_more_than_ten_rows_is_a_file_beside_the_page(
    seeded: Path, tmp_path: Path
) -> None:
    output = tmp_path / "page.html"
    write(seeded, output, made=datetime(2026, 6, 1, tzinfo=UTC))
    (link,) = re.findall('href="(page-tables/spend_by_purchase_order.csv)"', output.read_text())
    rows = list(csv.reader((tmp_path / link).read_text(encoding="utf-8").splitlines()))
    with duckdb.connect(str(seeded), read_only=True) as connection:
        count = (
            "select count(*) from analytics.spend_by_purchase_order "
            "where placed_orders > 0 and currency is not null"
        )
        assert connection.execute(count).fetchall() == [(len(rows) - 1,)]
    assert rows[0] == ["purchase_order", "currency", "orders", "spend"]


def test_a_file_holds_no_formula() -> None:
    result = Result(("name", "amount"), (("=1+1", Decimal("-2.50")), ("a,b", None)))
    assert result.csv() == 'name,amount\n\'=1+1,-2.5\n"a,b",\n'


def test_amounts_have_their_currency_and_periods_their_mark() -> None:
    month = date(2026, 6, 1)
    columns = ("month", "is_over", "currency", "spend", "orders", "fill_rate", "approver")
    hashed = "0123456789abcdef" * 4
    row = (month, False, "EUR", Decimal("1234.500000000"), 1234, Decimal("0.5"), hashed)
    result = Result(columns, (row,))
    assert result.headings == ["month", "spend", "orders", "fill rate", "approver"]
    assert result.cells == [["Jun 2026, so far", "1,234.50 EUR", "1,234", "50.0%", "01234567…"]]


def test_at_most_ten_rows_are_shown() -> None:
    result = Result(("number",), tuple((number,) for number in range(12)))
    assert len(result.cells) == 10
    assert result.more == 2


def test_what_comes_from_the_warehouse_is_text() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema analytics; create table analytics.order_spend as select 1 as one;"
            "create table analytics.spend_by_month as select '<script>alert(1)</script>' as "
            "approver, '<b>' as currency, 1 as placed_orders, 1.5::decimal(38, 9) as net_amount, "
            "0::decimal(38, 9) as awaiting_approval_amount, date '2026-05-01' as order_month, "
            "true as is_month_over, '<u>' as cost_centre;"
            "create table analytics.report_dates as select date '2026-05-01' as last_month, "
            "date '2026-04-01' as month_before"
        )
        html = page(connection, made=datetime(2026, 6, 1, tzinfo=UTC), note="<i>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert not {tag for tag in ("<script", "<b>", "<i>", "<u>") if tag in html}


def test_every_query_has_a_file_and_every_file_is_asked() -> None:
    files = {path.stem for path in (PROJECT / "report/queries").iterdir()}
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
    assert any("Content Security Policy" in line for line in shown.complaints)


def test_the_picture_of_the_page_is_small() -> None:
    picture = PICTURE.read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 150_000
    assert f"docs/{PICTURE.name}" in (PROJECT / "README.md").read_text(encoding="utf-8")
