"""The base of all streams, and every deviation from the SDK's own stream.

Each override says why it is there. tests/unit/streams/test_base.py fails when a release of the SDK
changes what an override builds on.
"""

from __future__ import annotations

import abc
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.batch import Batcher
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.singerlib import RecordMessage, SchemaMessage
from typing_extensions import override

from tap_amazon_business.errors import TapError
from tap_amazon_business.fitting import QuickShaper
from tap_amazon_business.records import Shaper
from tap_amazon_business.redaction import redact
from tap_amazon_business.streams.filters import passes_filter
from tap_amazon_business.streams.schemas.fields import with_precision
from tap_amazon_business.sync.track import Track

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record

    from tap_amazon_business.api.client import Client
    from tap_amazon_business.streams.probes import Probe
    from tap_amazon_business.streams.shared import Shared
    from tap_amazon_business.sync.prefetch import Readers

Row = dict[str, Any]


class AmazonStream(Stream, abc.ABC):
    """A stream of one of Amazon's APIs.

    Args:
        tap: The tap.
        client: The client of the stream's API.
        readers: What reads that API.
        shared: What the streams of the tap share.

    Attributes:
        track: How its sync goes.
    """

    def __init__(self, tap: Tap, *, client: Client, readers: Readers, shared: Shared) -> None:
        super().__init__(tap)
        self.client = client
        self.readers = readers
        self.shared = shared
        self.settings = shared.settings
        self.clock = shared.clock
        self.failed = False
        self.postponed: TapError | None = None
        self.track = Track(shared.clock)
        self._warned: set[tuple[str, str]] = set()
        self._writes_messages = True
        self._announced = False
        self._bookmark: dict[str, Any] | None = None

    @abc.abstractmethod
    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the records of one sync."""

    @property
    def is_due(self) -> bool:
        """Whether a sync runs the stream by itself; a child is run by its parents."""
        return self.selected and not self.parent_stream_type

    def probes(self) -> list[Probe]:
        """Return what the connection check asks for the stream."""
        return []

    def prepare(self) -> None:
        """Get ready for a sync: called for each stream before the first one runs."""

    def done(self) -> None:
        """Note the end of a sync of this stream, however it ended."""

    # ---- messages for people -------------------------------------------------------------------

    def debug(self, message: str, *arguments: object) -> None:
        """Log a line for those who look closely."""
        self.logger.debug("%s: %s", self.name, redact(message % arguments))

    def info(self, message: str, *arguments: object) -> None:
        """Log a line that names the stream; Meltano does not show a logger's name."""
        self.logger.info("%s: %s", self.name, redact(message % arguments))

    def warn(self, message: str, *arguments: object) -> None:
        """Log a warning that names the stream."""
        self.logger.warning("%s: %s", self.name, redact(message % arguments))

    def warn_once(self, field: str, problem: str) -> None:
        """Warn of a problem with a field once, however many rows have it."""
        if (field, problem) not in self._warned:
            self._warned.add((field, problem))
            self.warn("%s: %s", redact(field), problem)

    def fail(self, error: TapError) -> None:
        """End this stream's sync, or what one parent has for it; the other streams continue."""
        self.failed = True
        self.shared.on_failure(self.name, error)

    def fail_at_the_end(self, error: TapError) -> None:
        """Let the stream's sync continue, and fail it then: the bookmark stays put."""
        self.postponed = self.postponed or error

    # ---- records -------------------------------------------------------------------------------

    @property
    def keys(self) -> Sequence[str]:
        """Return the fields that identify a row; a catalog may name others to the target."""
        keys: Sequence[str] = type(self).primary_keys  # type: ignore[assignment]
        return keys

    def reshape(self, row: Row) -> Row:
        """Bring Amazon's row into the layout of the schema."""
        return row

    def valid_rows(self, rows: Iterable[object]) -> Iterator[Row]:
        """Yield the rows in the layout of the schema; no target can load a row without its key."""
        for row in rows:
            if not isinstance(row, dict):
                self.warn_once("a row", "not an object, skipped")
                continue
            reshaped = self.reshape(row)
            if all(isinstance(reshaped.get(key), (str, int)) for key in self.keys):
                yield reshaped
            else:
                self.warn_once(", ".join(self.keys), "a row without its key was skipped")

    def record(self, row: Row, *, copy: bool = False) -> Record:
        """Return a row of the schema's layout as a record that is valid against the schema.

        Args:
            row: The row.
            copy: Whether the row is needed afterwards: it may change together with the record.
        """
        return self._shaper(row) if copy else self._quick_shaper(row)

    # The catalog's schema, if there is one: it is the one that the target gets.

    @cached_property
    def _quick_shaper(self) -> QuickShaper:
        return QuickShaper(self.effective_schema, self.warn_once)

    @cached_property
    def _shaper(self) -> Shaper:
        return Shaper(self.effective_schema, self.warn_once)

    def passes_filter(self, record: Record) -> bool:
        """Tell whether the filter of a stream map lets a record through."""
        return passes_filter(self._tap, self.name, record)

    # ---- bookmark ------------------------------------------------------------------------------

    def write_bookmark(self, state: dict[str, Any]) -> None:
        """Replace the stream's part of the state, and write a STATE message.

        With BATCH files, that waits until the file is complete: records wait in it, and other
        streams write the state meanwhile. There are no files if only the children are selected.
        """
        self._bookmark = state
        if self._writes_messages or not self.selected:
            self._write_state_message()

    def settle(self) -> None:
        """Write the last bookmark, now that every record is written."""
        self._write_state_message()

    # ---- deviations from the SDK ---------------------------------------------------------------

    @override
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: object) -> None:
        # The SDK tells of each beginning, which the line on what is read does, too.
        super().log(message, *args, level=logging.DEBUG if level == logging.INFO else level)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        # The SDK would add a signpost to the state. The bookmark is the end of a slice, so no row
        # can carry it too far.
        return None

    @override
    def _write_state_message(self) -> None:
        # The SDK calls this after each BATCH file. Amazon's examples are nothing to go on from.
        if self.settings.sandbox:
            return
        if self._bookmark is not None:
            self.stream_state.clear()
            self.stream_state.update(self._bookmark)
            self._bookmark = None
            self.state_manager.is_flushed = False
        super()._write_state_message()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, None, None]:
        # The SDK's own loop bookmarks the dates of rows, which come in any order, with odd dates or
        # none; it syncs children once per record, each with a SCHEMA message; its METRIC lines come
        # once a minute; and one failing stream ends them all.
        self._writes_messages = write_messages
        if self.client.failure:  # of another stream: it is the same for all
            self.fail(self.client.failure)
            return
        selected, checked = self.selected, 0
        with self.track.running():
            try:
                for record in self.get_records(context):
                    self._check_max_record_limit(checked)  # a dry run of the SDK stops here
                    checked += 1
                    if not selected:
                        continue
                    self.track.count()
                    if write_messages:
                        self._write_record_message(record)
                        yield record
                    else:
                        yield from self.batch_records(record)
            except TapError as error:
                self.fail(error)
            finally:
                self.shared.flush()
        if self.postponed:
            self.fail(self.postponed)

    @override
    def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
        # The SDK's catalog drops the precision and scale of decimals, without which Snowflake's
        # loader rounds them to whole numbers.
        for message in super()._generate_schema_messages():
            message.schema = with_precision(message.schema)
            yield message

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        # The SDK looks at every field of every record to remove deselected ones, and to conform
        # types: the first is seldom needed, the second never.
        if not self._all_selected:
            pop_deselected_record_properties(record, self.schema, self.mask)
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream_map.stream_alias, mapped, time_extracted=self.clock.now()
                )

    @cached_property
    def _all_selected(self) -> bool:
        return all(self.mask.values())

    # ---- for children, whose parent drives their sync ------------------------------------------

    def announce(self) -> None:
        """Write the SCHEMA message once, if the stream is selected."""
        if self.selected and not self._announced:
            self._announced = True
            self._write_schema_message()

    def write(self, records: Iterable[Record]) -> None:
        """Write records, as RECORD messages or as BATCH files."""
        batch_config = self.get_batch_config(self.config)
        if not batch_config:
            for record in records:
                self._write_record_message(record)
            return
        batcher = Batcher(tap_name=self.tap_name, stream_name=self.name, batch_config=batch_config)
        mapped = (part for record in records for part in self.batch_records(record))
        for manifest in batcher.get_batches(records=mapped):
            self._write_batch_message(encoding=batch_config.encoding, manifest=manifest)

    def batch_records(self, record: Record) -> Iterator[Record]:
        """Yield a record as a BATCH file holds it, nothing if a filter removes it.

        The SDK would write it with deselected fields, and without stream maps.

        Raises:
            TapError: A stream map renames the stream, which a BATCH message cannot.
        """
        if {stream_map.stream_alias for stream_map in self.stream_maps} != {self.name}:
            raise TapError(
                f"{self.name}: stream_maps splits or renames the stream, which does not work with "
                "batch_config; use one of the two settings"
            )
        for message in self._generate_record_messages(record):
            yield message.record
