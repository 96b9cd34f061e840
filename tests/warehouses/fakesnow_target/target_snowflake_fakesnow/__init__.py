"""Snowflake's SQL without an account: fakesnow, which runs it on DuckDB within this process.

The environment variable FAKESNOW_FOLDER names a folder, in which each database has a file. Only one
process can have it open.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from unittest import mock

import fakesnow

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def patched() -> AbstractContextManager[None]:
    """Return a context in which Snowflake's connector connects to fakesnow."""
    patch: AbstractContextManager[None] = fakesnow.patch(
        db_path=os.environ["FAKESNOW_FOLDER"],
        # The target tidies up with these two. What they remove, fakesnow's COPY INTO removes.
        nop_regexes=["drop file format", "remove"],
    )
    return patch


def exact() -> AbstractContextManager[Any]:
    """Return a context in which sums are exact, as they are in Snowflake.

    fakesnow sums up columns as floats, since they might be text.
    """
    return mock.patch("fakesnow.transforms.numeric_agg_implicit_cast", lambda part: part)
