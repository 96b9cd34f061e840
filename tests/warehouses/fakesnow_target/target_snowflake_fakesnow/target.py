"""meltanolabs-target-snowflake on fakesnow.

The target makes tables, chooses types, casts and merges by its own code and its own SQL, and PUTs
its own files, read by its own file format. What fakesnow cannot run, and only that, is replaced:

- The user's stage, `@~`: files go to a stage with a name.
- Selecting from staged files: COPY INTO puts their lines into a table of one VARIANT column, from
  which the target's SELECT reads instead. There the place of a line is `rowid`, not SEQ8().
- A MERGE from a SELECT whose QUALIFY names columns of its own: the target's SELECT makes a table
  first, from which the target's MERGE reads.
- REMOVE and DROP FILE FORMAT, which do nothing.
- Draining sinks in parallel, as they share the two tables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import TextClause, text
from target_snowflake.connector import SnowflakeConnector
from target_snowflake.sinks import SnowflakeSink
from target_snowflake.target import TargetSnowflake

from . import patched

if TYPE_CHECKING:
    from collections.abc import Sequence


class Connector(SnowflakeConnector):  # type: ignore[misc]
    """The target's connector, but for the way from its files to its MERGE."""

    @property
    def _stage(self) -> str:
        """The schema of the stage and the two tables: not the one that is loaded."""
        return f"{self.config['database']}.stage"

    def put_batches_to_stage(self, sync_id: str, files: Sequence[str]) -> None:
        """Upload the files of a batch."""
        self._run(
            f"create schema if not exists {self._stage}",
            f"create stage if not exists {self._stage}.files",
        )
        super().put_batches_to_stage(sync_id, files)

    def merge_from_stage(self, *, sync_id: str, file_format: str, **batch: Any) -> int:
        """Merge the files of a batch into a table, and return how many rows that touched."""
        batch = {"sync_id": sync_id, "file_format": file_format, **batch}
        _, select, _ = self._merge(**batch)
        files = rf"'@~/target-snowflake/{sync_id}'\(file_format => .+?\)"
        select = re.sub(files, f"{self._stage}.lines", select)
        select = select.replace("$1:", "line:").replace("SEQ8()", "rowid")
        self._run(
            f"create or replace table {self._stage}.lines (line variant)",
            f"copy into {self._stage}.lines from @{self._stage}.files/{sync_id} "
            f"file_format = (format_name = '{file_format}') purge = true",
            f"create or replace table {self._stage}.rows as {select}",
        )
        touched: int = super().merge_from_stage(**batch)
        return touched

    def _get_put_statement(self, sync_id: str, file_uri: str) -> tuple[TextClause, dict[str, Any]]:  # noqa: ARG002 (bound by the caller)
        return text(f"put :file_uri @{self._stage}.files/{sync_id}"), {}

    def _get_merge_from_stage_statement(self, **batch: Any) -> tuple[TextClause, dict[str, Any]]:
        into, _, on = self._merge(**batch)
        return text(f"{into}(select * from {self._stage}.rows){on}"), {}  # noqa: S608

    def _merge(self, **batch: Any) -> tuple[str, str, str]:
        """Return the target's MERGE in three parts, of which the second is its SELECT."""
        statement, _ = super()._get_merge_from_stage_statement(**batch)
        parts = re.fullmatch(r"(merge into .+ using )\((select .+)\)( s on .+)", statement.text)
        assert parts, statement.text
        into, select, on = parts.groups()
        return into, select, on

    def _run(self, *statements: str) -> None:
        with self._connect() as connection, connection.begin():
            for statement in statements:
                connection.execute(text(statement))


class Sink(SnowflakeSink):  # type: ignore[misc]
    """The target's sink with the connector above."""

    connector_class = Connector


class Target(TargetSnowflake):  # type: ignore[misc]
    """The target with the sink above."""

    default_sink_class = Sink
    max_parallelism = 1


def main() -> None:
    """Run the target."""
    with patched():
        Target.cli()
