"""Runs dbt on fakesnow."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from unittest import mock

from dbt.cli.main import dbtRunner
from fakesnow.cursor import FakeSnowflakeCursor

from . import exact, patched

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def main() -> None:
    """Run a command of dbt."""
    with exact(), patched(), _objects_of_a_schema():
        done = dbtRunner().invoke(sys.argv[1:])
    sys.exit(0 if done.success else 1)


def _objects_of_a_schema() -> AbstractContextManager[Any]:
    """Return a context in which `show objects in a.b` shows those of a schema.

    fakesnow needs the word "schema"; without it, it shows those of the session's schema.
    """
    execute = FakeSnowflakeCursor.execute

    def patch(self: FakeSnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> Any:
        statement = re.sub(r"(?i)(show objects in)(?= \S+\.)", r"\1 schema", command)
        return execute(self, statement, *args, **kwargs)

    return mock.patch.object(FakeSnowflakeCursor, "execute", patch)
