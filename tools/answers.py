"""Writes docs/answers.md and docs/report.png from a world that never changes: `make answers`."""

from __future__ import annotations

import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from benchmarks.inprocess import BEGINNING, SharedClock
from benchmarks.server import UNLIMITED
from report.page import contents, page
from simulator import Options, Simulator, World, published_plans
from tap_amazon_business.tap import TapAmazonBusiness
from tools import PROJECT
from tools.browser import browser
from tools.dbt import run_dbt
from tools.demo import NOTE, ORDERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from report.page import Answer

ANSWERS = PROJECT / "docs" / "answers.md"
PICTURE = PROJECT / "docs" / "report.png"
LOADER = PROJECT / ".meltano/loaders/target-duckdb/venv/bin/target-duckdb"

_WIDTH = 1280
_HEIGHT = 1500
_SCALE = 0.625

_HEAD = """# Answers

Five headline figures, and queries on the [dbt models](analytics.md) that answer four questions.
They run on DuckDB, PostgreSQL and Snowflake. [analytics.md](analytics.md#definitions) defines the
figures.

The results are those of the demonstration's account on 1 June 2026. It is made up: a vendor that
fills nine tenths of its purchase orders, and a company whose charges agree with few exceptions.
Each table shows ten rows at most. The page adds the currency to amounts, and omits columns such as
`is_over`.

## As a page

```sh
meltano run tap-amazon-business target-duckdb dbt-duckdb:build
.venv/bin/python -m report --warehouse output/warehouse.duckdb --output output/report.html
```

This makes [such a page](report.png) of a warehouse of your own, with the same queries, which are in
[report/queries](../report/queries). It is one file without scripts that loads
nothing from anywhere; complete tables are CSV files in a folder beside it. What your account has no
rows for is left out. The page names purchase orders and approvers: share it with care.

`make setup` installs what it needs. So does `pip install --group report`, with pip 25.1 or newer.
"""


def warehouse(folder: Path) -> Path:
    """Make a warehouse by the tap, the loader and dbt, at a moment that never changes.

    Args:
        folder: Where it goes, with dbt's own files.
    """
    path = folder / "warehouse.duckdb"
    clock = SharedClock()
    messages = folder / "messages.jsonl"
    with (
        Simulator(
            World(orders=ORDERS, quirks=False, now=clock.now),
            Options(limits=False),
            monotonic=clock.monotonic,
        ) as simulator,
        messages.open("w", encoding="utf-8") as output,
        redirect_stdout(output),
    ):
        config = simulator.config(
            rate_limits=dict.fromkeys(published_plans(), UNLIMITED),
            # Reports that name another purchase order number than their own come by number only.
            order_reports_strategy="purchase_order",
        )
        TapAmazonBusiness(config=config, clock=clock).sync_all()
    loader = folder / "loader.json"
    loader.write_text(
        f'{{"path": "{path}", "default_target_schema": "amazon", "add_metadata_columns": true}}',
        encoding="utf-8",
    )
    with messages.open(encoding="utf-8") as rows:
        subprocess.run(
            [LOADER, "--config", loader],
            stdin=rows,
            check=True,
            capture_output=True,
            timeout=120,
        )
    run_dbt(path, folder / "dbt", "run", as_of=f"{clock.now():%Y-%m-%d %H:%M:%S}")
    return path


def report(path: Path) -> str:
    """Return the page of a warehouse as HTML."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return page(connection, made=BEGINNING, note=NOTE)


def answers(path: Path) -> str:
    """Return docs/answers.md as the warehouse at a path makes it."""
    with duckdb.connect(str(path), read_only=True) as connection:
        found = contents(connection)
    parts = [_HEAD, "\n## Headline figures\n"]
    for answer in found.behind:
        parts.extend(_answer(answer))
    for title, rows in found.sections:
        parts.append(f"\n## {title}\n")
        for answer in (answer for row in rows for answer in row):
            parts.extend(_answer(answer))
    return "".join(parts)


def _answer(answer: Answer) -> Iterator[str]:
    result, query = answer.result, answer.query
    yield f"\n### {query.title}\n\n{query.note}\n\n```sql\n{query.sql}\n```\n\n"
    yield _row(result.headings)
    yield _row(["--:" if numeric else "---" for numeric in result.numeric])
    yield from map(_row, result.cells)
    if result.more:
        yield f"\nAnd {result.more:,} more rows.\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def main() -> None:
    """Write both."""
    with TemporaryDirectory() as name, browser() as shown:
        folder = Path(name)
        path = warehouse(folder)
        ANSWERS.write_text(answers(path), encoding="utf-8")
        html = folder / "report.html"
        html.write_text(report(path), encoding="utf-8")
        shown.open(html, width=_WIDTH, dark=False)
        PICTURE.write_bytes(shown.picture(_HEIGHT, _SCALE))


if __name__ == "__main__":
    main()
