"""The base of all streams, and every deviation from the SDK's own stream.

Each override says why it is there. tests/unit/streams/test_base.py fails when a release of the SDK
changes what an override builds on.
"""

from __future__ import annotations

import abc
import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from singer_sdk import Stream, Tap
from singer_sdk.batch import Batcher
from singer_sdk.helpers._catalog import pop_deselected_record_properties
from singer_sdk.helpers.types import Context, Record
from singer_sdk.mapper import CustomStreamMap
from singer_sdk.singerlib import Metadata, MetadataMapping, RecordMessage, SchemaMessage
from typing_extensions import override

from tap_amazon_business.api.client import Client
from tap_amazon_business.clock import Clock
from tap_amazon_business.errors import TapError
from tap_amazon_business.records.fast_path import QuickShaper
from tap_amazon_business.records.personal import PersonalData, personal_paths, replacement
from tap_amazon_business.redaction import redact
from tap_amazon_business.run.progress import StreamProgress
from tap_amazon_business.settings import Settings
from tap_amazon_business.streams.queries import Probe
from tap_amazon_business.streams.schemas.fields import (
    RESCUED,
    with_precision,
    without_descriptions,
)
from tap_amazon_business.sync.bookmark import fingerprint
from tap_amazon_business.sync.prefetch import ReadBudget

if TYPE_CHECKING:
    from tap_amazon_business.streams.children import Child

Row = dict[str, Any]
T = TypeVar("T")

# Raised when the same row leads to another record than before, and no schema shows it: rows are
# written again then.
_RECORD_VERSION = 1

# Settings that shape records.
_SHAPING_SETTINGS = (
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "personal_data",
    "hash_salt",
    "hash_digits",
)

# At most this many fields that do not fit the schema are named in the log.
_MOST_NAMED = 10
_INDEX = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class PersonalMetadata(Metadata):
    """The metadata of a field that the setting `personal_data` covers."""

    personal_data: bool = True


@dataclass(frozen=True)
class Shared:
    """Settings, clock and callbacks that the streams of one tap share.

    Attributes:
        settings: The checked settings.
        clock: The time.
        keeps_state: Whether a later sync may resume where this one ends.
        on_failure: Called when a stream fails and the others continue.
        flush: Passes on the messages written so far.
    """

    settings: Settings
    clock: Clock
    keeps_state: bool
    on_failure: Callable[[str, TapError], None]
    flush: Callable[[], None]


class AmazonStream(Stream, abc.ABC):
    """A stream of one of Amazon's APIs.

    Attributes:
        progress: The progress of its sync.
        keys_that_may_be_empty: Key fields in which an empty text is a value.
    """

    keys_that_may_be_empty: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, tap: Tap, *, client: Client, budget: ReadBudget, shared: Shared) -> None:
        super().__init__(tap)
        self.client = client
        self.budget = budget
        self.shared = shared
        self.settings = shared.settings
        self.clock = shared.clock
        self.error: TapError | None = None
        self.postponed: TapError | None = None
        self.progress = StreamProgress(shared.clock)
        self._warned: set[tuple[str, str]] = set()
        self._rescued: dict[str, None] = {}
        self._writes_messages = True
        self._announced = False
        self._bookmarks: dict[str, dict[str, Any]] = {}

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        """Yield the records of one sync; those of a child come from its parents' pages."""
        return ()

    @property
    def is_due(self) -> bool:
        """Whether a sync runs the stream by itself; a child is run by its parents."""
        return self.selected and not self.parent_stream_type

    def child_of(self, parent: AmazonStream) -> Child | None:
        """Return what takes a parent's rows for this stream, None if it is not its parent."""
        del parent
        return None

    def probes(self) -> list[Probe]:
        """Return what the connection check asks for the stream."""
        return []

    def prepare(self) -> None:
        """Prepare a sync: a hook that runs for each stream before the first one is synced."""

    def done(self) -> None:
        """Clean up: a hook that runs after the sync of the stream, even if it failed."""

    # ---- messages for people -------------------------------------------------------------------

    def debug(self, message: str, *arguments: object) -> None:
        """Log a line at level DEBUG that names the stream."""
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

    @property
    def failed(self) -> bool:
        """Whether the sync of the stream failed, or what one parent has for it."""
        return self.error is not None

    def fail(self, error: TapError) -> None:
        """End this stream's sync, or what one parent has for it; the other streams continue."""
        self.error = self.error or error
        self.shared.on_failure(self.name, error)

    def fail_at_the_end(self, error: TapError) -> None:
        """Let the stream's sync continue, and fail it then: its bookmark is not advanced."""
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
            keys = {key: reshaped.get(key) for key in self.keys}
            if all(
                isinstance(value, (str, int))
                and (value != "" or key in self.keys_that_may_be_empty)
                for key, value in keys.items()
            ):
                yield reshaped
            else:
                self.warn_once(", ".join(self.keys), "a row without its key was skipped")

    def record(self, row: Row) -> Record:
        """Return a row of the schema's layout as a record that is valid against the schema.

        What does not fit is in its `rescuedData`. The row stays as it is.
        """
        rescued: dict[str, Any] = {}
        record = self._shaper(row, rescued)
        if self._personal:
            self._personal.hide(record)
        if self._rescues:
            hidden = rescued and self._personal
            record[RESCUED] = (hidden.hide_rescued(rescued) if hidden else rescued) or None
        for path in rescued:
            self._rescued[_INDEX.sub("[]", path)] = None
        return record

    # The catalog's schema, if there is one: it is the one that the target gets.

    @cached_property
    def _shaper(self) -> QuickShaper:
        return QuickShaper(self.effective_schema)

    @cached_property
    def _personal(self) -> PersonalData | None:
        # By the tap's own schema: a catalog's has no marks.
        settings = self.settings
        replace = replacement(settings.personal_data, settings.hash_salt, settings.hash_digits)
        return PersonalData(self.schema, replace) if replace else None

    @cached_property
    def _rescues(self) -> bool:
        known = RESCUED in self.effective_schema["properties"]
        return known and self.mask.get(("properties", RESCUED), True)

    def warn_of_rescued(self) -> None:
        """Name the fields that do not fit the schema, once for the whole sync."""
        if not self._rescued:
            return
        named = ", ".join(redact(path) for path in list(self._rescued)[:_MOST_NAMED])
        more = len(self._rescued) - _MOST_NAMED
        kept = (
            "kept in rescuedData"
            if self._rescues
            else "lost: the catalog does not select rescuedData"
        )
        self.warn(
            "new fields, or values of another type, are %s: %s%s",
            kept,
            named,
            f" and {more} more" if more > 0 else "",
        )
        self._rescued.clear()

    @property
    def shape(self) -> str:
        """A fingerprint of everything that shapes the stream's records."""
        settings = {name: self.config.get(name) for name in _SHAPING_SETTINGS}
        selected = sorted(str(path) for path, is_selected in self.mask.items() if is_selected)
        shape = (_RECORD_VERSION, without_descriptions(self.effective_schema), settings, selected)
        return fingerprint(shape, length=32)

    @cached_property
    def filter(self) -> Callable[[Record], bool] | None:
        """The filter of a stream map, None if there is none. A stream that is removed has none."""
        # A catalog of the children alone has no stream map of their parent.
        maps = self._tap.mapper.stream_maps.get(self.name, ())
        custom = next((one for one in maps[:1] if isinstance(one, CustomStreamMap)), None)
        return partial(self._mapped, custom.get_filter_result) if custom else None

    def _mapped(self, call: Callable[[Record], T], record: Record) -> T:
        """Return what a stream map makes of a record.

        Raises:
            TapError: An expression of the user's fails. Its own error may contain the record.
        """
        try:
            return call(record)
        except Exception as error:  # noqa: BLE001 (an expression may raise anything)
            cause = type(error.__cause__ or error).__name__
            raise TapError(
                f"stream_maps: an expression for {self.name} fails on a record ({cause}); fields "
                "may be null or missing, so test for that in the expression"
            ) from None

    # ---- bookmark ------------------------------------------------------------------------------

    @property
    def bookmark(self) -> Mapping[str, Any]:
        """The stream's part of the state; empty if there is none."""
        # The SDK's own property would add an empty part.
        found: Mapping[str, Any] = self.tap_state.get("bookmarks", {}).get(self.name, {})
        return found

    def write_bookmark(self, bookmarks: Mapping[str, dict[str, Any]]) -> None:
        """Replace parts of the state, by the names of streams, and write a STATE message.

        With BATCH files, that waits until the file is complete: records wait in it, and other
        streams write the state meanwhile. There are no files if only the children are selected.
        """
        self._bookmarks.update(bookmarks)
        if self._writes_messages or not self.selected:
            self._write_state_message()

    def flush_bookmark(self) -> None:
        """Write the last bookmark, now that every record is written."""
        self._write_state_message()

    # ---- deviations from the SDK ---------------------------------------------------------------

    @property
    @override
    def metadata(self) -> MetadataMapping:
        # The catalog names the personal fields; the SDK's model of a schema drops the marks.
        discovers = self._metadata is None
        found = super().metadata
        if discovers:
            for path in personal_paths(self.schema):
                breadcrumb = tuple(step for name in path for step in ("properties", name))
                if breadcrumb in found:
                    found[breadcrumb] = PersonalMetadata(found[breadcrumb].inclusion)
        return found

    @override
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: object) -> None:
        # The SDK logs each beginning, as the line on what is read does.
        super().log(message, *args, level=logging.DEBUG if level == logging.INFO else level)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        # The SDK would add a signpost to the state. The bookmark is the end of a slice, so no row
        # can carry it too far.
        return None

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
        # The SDK would add an empty part of a child to the state.
        if not self.parent_stream_type:
            super().finalize_state_progress_markers(state)

    @override
    def _write_state_message(self) -> None:
        # The SDK calls this after each BATCH file.
        if not self.shared.keeps_state:
            return
        for name, bookmark in self._bookmarks.items():
            part = self.tap_state.setdefault("bookmarks", {}).setdefault(name, {})
            part.clear()
            part.update(bookmark)
            self.state_manager.is_flushed = False
        self._bookmarks.clear()
        super()._write_state_message()

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[Record, None, None]:
        # The SDK's own loop bookmarks the dates of rows, which come in any order, with odd dates or
        # none; it syncs children once per record, each with a SCHEMA message; its METRIC lines come
        # once a minute; and one failing stream ends them all.
        self._writes_messages = write_messages
        self.client.open()
        if self.client.failure:  # of another stream: it is the same for all
            self.fail(self.client.failure)
            return
        selected = self.selected
        with self.progress.running():
            try:
                records = self.get_records(context)
                records = self._counted(records) if selected else records
                for checked, record in enumerate(records):
                    self._check_max_record_limit(checked)  # a dry run of the SDK stops here
                    if not selected:
                        continue
                    if write_messages:
                        self._write_record_message(record)
                        yield record
                    else:
                        yield from self.batch_records(record)
            except TapError as error:
                self.fail(error)
            finally:
                self.client.close()  # nothing is asked after the end
                self.shared.flush()
        self.warn_of_rescued()
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
        if not self.all_selected:
            pop_deselected_record_properties(record, self.schema, self.mask)
        for stream_map in self.stream_maps:
            mapped = self._mapped(stream_map.transform, record)
            if mapped is None:
                continue
            if stream_map.flattening_enabled:
                # The SDK keeps the keys of objects that are null, which the schema does not have.
                declared = stream_map.transformed_schema["properties"]
                mapped = {name: value for name, value in mapped.items() if name in declared}
            yield RecordMessage(stream_map.stream_alias, mapped, time_extracted=self.clock.now())

    @cached_property
    def all_selected(self) -> bool:
        """Whether no field is deselected."""
        return all(self.mask.values())

    # ---- for children, whose parent drives their sync ------------------------------------------

    def write_schema_once(self) -> None:
        """Write the SCHEMA message once, if the stream is selected."""
        if self.selected and not self._announced:
            self._announced = True
            self._write_schema_message()

    def write(self, records: Iterable[Record]) -> None:
        """Write records, as RECORD messages or as BATCH files."""
        records = self._counted(records)
        batch_config = self.get_batch_config(self.config)
        if not batch_config:
            for record in records:
                self._write_record_message(record)
            return
        batcher = Batcher(tap_name=self.tap_name, stream_name=self.name, batch_config=batch_config)
        mapped = (part for record in records for part in self.batch_records(record))
        for manifest in batcher.get_batches(records=mapped):
            self._write_batch_message(encoding=batch_config.encoding, manifest=manifest)

    def _counted(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            self.progress.records += 1
            yield record

    def batch_records(self, record: Record) -> Iterator[Record]:
        """Yield a record in the form of a BATCH file, nothing if a filter removes it.

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
