"""The command: `python -m report --warehouse warehouse.duckdb --output report.html`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from report.page import contents, page


def main(arguments: list[str] | None = None) -> None:
    """Write the page of a warehouse, and its tables as CSV files beside it.

    Args:
        arguments: Those of the command line if omitted.
    """
    parser = argparse.ArgumentParser(prog="python -m report", description=__doc__)
    parser.add_argument(
        "--warehouse",
        type=Path,
        default=Path("output/warehouse.duckdb"),
        help="file of DuckDB's, after `meltano run ... dbt-duckdb:build` (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("output/report.html"),
        help="the page (default: %(default)s); its tables go to a folder beside it",
    )
    options = parser.parse_args(arguments)
    try:
        write(options.warehouse, options.output, made=datetime.now(UTC))
    except (duckdb.Error, OSError) as error:
        sys.exit(f"{options.warehouse}: {error}")
    print(f"Wrote {options.output}")


def write(warehouse: Path, output: Path, *, made: datetime, note: str = "") -> None:
    """Write the page of a file of DuckDB's, and its tables as CSV files beside it.

    Args:
        warehouse: The file.
        output: Where the page goes.
        made: The moment that the page names; UTC.
        note: A sentence below the title.
    """
    tables = output.with_name(f"{output.stem}-tables")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        html = page(connection, made=made, note=note, tables=tables.name)
        found = contents(connection)
    tables.mkdir(parents=True, exist_ok=True)
    answers = [answer for _, rows in found.sections for row in rows for answer in row]
    for answer in [*found.behind, *answers]:
        path = tables / f"{answer.query.name}.csv"
        path.write_text(answer.result.csv(), encoding="utf-8")
    output.write_text(html, encoding="utf-8")


if __name__ == "__main__":
    main()
