"""Answers SQL on standard input with rows on standard output."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import snowflake.connector

from . import exact, patched


def main() -> None:
    """Answer each line, which holds statements in JSON, with a line that holds the last one's rows.

    Decimals are printed as text, `{"decimal": "1.10"}`, times in ISO 8601. The arguments are the
    database and the schema.
    """
    database, schema = sys.argv[1:]
    with exact(), patched(), snowflake.connector.connect(database=database, schema=schema) as here:
        for line in sys.stdin:
            *_, last = here.execute_string(json.loads(line))
            print(json.dumps(last.fetchall(), default=_printed), flush=True)


def _printed(value: Any) -> Any:
    return {"decimal": str(value)} if isinstance(value, Decimal) else value.isoformat()
