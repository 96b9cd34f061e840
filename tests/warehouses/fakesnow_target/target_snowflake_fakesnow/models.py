"""Runs dbt on fakesnow."""

from __future__ import annotations

import sys

from dbt.cli.main import dbtRunner

from . import patched


def main() -> None:
    """Run a command of dbt."""
    with patched():
        done = dbtRunner().invoke(sys.argv[1:])
    sys.exit(0 if done.success else 1)
