"""Each deviation from the SDK: why it is needed, and that the SDK still calls it.

Where a test of the plain SDK fails after an upgrade, the deviation beside it may have become
unnecessary. Where a test of a hook fails, the deviation has lost its effect.
"""

# ruff: noqa: SLF001 (the SDK's hooks are private)

from __future__ import annotations

import gc
import gzip
import inspect
import io
import json
import logging
import re
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

import click
import pytest
from click.testing import CliRunner
from singer_sdk import Stream, Tap, metrics
from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
    ConfigValidationError,
)
from singer_sdk.io_base import SingerWriter
from singer_sdk.logging import StructuredFormatter
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

from tap_amazon_business.api.client import Traffic
from tap_amazon_business.cli import CommandLine
from tap_amazon_business.errors import TapError
from tap_amazon_business.settings import Settings
from tap_amazon_business.streams.base import AmazonStream, Shared
from tap_amazon_business.streams.children import ChildStream
from tap_amazon_business.streams.schemas.fields import DECIMAL
from tap_amazon_business.sync.prefetch import ReadBudget
from tap_amazon_business.tap import TapAmazonBusiness
from tap_amazon_business.writer import Writer
from tests.support.clocks import BEGINNING, FakeClock

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib.encoding.simple import Message

    from tap_amazon_business.api.client import Client

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": ["string"]},
        "changed": {"type": ["string", "null"], "format": "date-time"},
        "amount": {**DECIMAL, "precision": 38, "scale": 9},
        "note": {"type": ["string", "null"]},
    },
}
ROWS: list[dict[str, Any]] = [
    {"id": "1", "changed": "2026-05-02T00:00:00Z", "amount": "1.50", "note": "a"},
    {"id": "2", "changed": "2026-05-03T00:00:00Z", "amount": None, "note": "b"},
    {"id": "3", "changed": "2026-05-01T00:00:00Z", "amount": "2", "note": None},
]
KEYS = ("client_id", "client_secret", "refresh_token")
CREDENTIALS = {f"{api}_{key}": "x" for api in ("sp_api", "business_api") for key in KEYS}


# ---- streams of a few rows, plain and of this package --------------------------------------------


class PlainStream(Stream):
    """A stream of the SDK, without any deviation."""

    name = "things"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    primary_keys = ("id",)
    replication_key = "changed"

    def __init__(self, tap: Tap, rows: Sequence[Record] = ROWS, error: str = "") -> None:
        super().__init__(tap)
        self._given = rows
        self._error = error

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        yield from (dict(row) for row in self._given)
        if self._error:
            raise TapError(self._error)


class OtherPlainStream(PlainStream):
    name = "zebras"  # synced last


class PlainChildStream(Stream):
    """A child of the SDK's kind."""

    name = "parts"
    schema: ClassVar[dict[str, Any]] = {"properties": {"id": {"type": ["string"]}}}
    parent_stream_type = PlainStream
    state_partitioning_keys = ()

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None
        yield {"id": context["id"]}


class IdleClient:
    """A client that is not asked for anything."""

    def __init__(self) -> None:
        self.failure: TapError | None = None
        self.traffic = Traffic(FakeClock())
        self.is_open = True

    def open(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class OwnStream(AmazonStream):
    """The same rows as a stream of this package."""

    name = "things"
    schema: ClassVar[dict[str, Any]] = SCHEMA
    primary_keys = ("id",)
    replication_key = "changed"

    def __init__(
        self,
        tap: Tap,
        rows: Sequence[Record] = ROWS,
        error: str = "",
        on_failure: Callable[[str, TapError], None] | None = None,
        flush: Callable[[], None] = lambda: None,
    ) -> None:
        self.failures: list[tuple[str, TapError]] = []
        super().__init__(
            tap,
            client=cast("Client", IdleClient()),
            budget=ReadBudget(1),
            shared=Shared(
                settings=Settings.from_config({}, "1"),
                clock=FakeClock(),
                keeps_state=True,
                on_failure=on_failure or (lambda *failure: self.failures.append(failure)),
                flush=flush,
            ),
        )
        self._given = rows
        self._error = error

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        yield from (dict(row) for row in self._given)
        if self._error:
            raise TapError(self._error)


class OtherOwnStream(OwnStream):
    name = "zebras"


class PlainTap(Tap):
    """A tap of the SDK, without any deviation, with these streams."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"since": {"type": ["string", "null"], "format": "date-time"}},
    }

    def __init__(
        self, make: Callable[[Tap], Sequence[Stream]] = lambda tap: [PlainStream(tap)], **rest: Any
    ) -> None:
        self._make = make
        super().__init__(**rest)

    @override
    def discover_streams(self) -> Sequence[Stream]:
        return self._make(self)


def tap_of(*kinds: Callable[[Tap], Stream], **rest: Any) -> PlainTap:
    return PlainTap(lambda tap: [kind(tap) for kind in kinds], **rest)


def printed(act: Callable[[], object]) -> list[dict[str, Any]]:
    """Return the messages that something writes to standard output."""
    binary = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(binary, encoding="utf-8", write_through=True)):
        act()
        sys.stdout.flush()
        return [json.loads(line) for line in binary.getvalue().splitlines()]


def of_type(kind: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] == kind]


def catalog(tap: Tap, *, deselected: Sequence[str] = ()) -> dict[str, Any]:
    """Return a tap's catalog with all streams selected, less these fields."""
    found = tap.catalog_dict
    for stream in found["streams"]:
        for entry in stream["metadata"]:
            *_, name = entry["breadcrumb"] or ("",)
            entry["metadata"]["selected"] = name not in deselected
    return found


# ---- every override is known here ----------------------------------------------------------------

OVERRIDES: dict[tuple[type, type], set[str]] = {
    (AmazonStream, Stream): {
        "__init__",
        "finalize_state_progress_markers",
        "get_records",
        "get_replication_key_signpost",
        "log",
        "metadata",
        "_write_state_message",
        "_sync_records",
        "_generate_schema_messages",
        "_generate_record_messages",
    },
    (ChildStream, AmazonStream): {
        "__init__",
        "child_of",
    },
    (CommandLine, Tap): {
        "cb_config",
        "invoke",
        "get_singer_command",
        "load_state",
        "cb_test",
        "_env_var_config",
    },
    (TapAmazonBusiness, CommandLine): {
        "__init__",
        "setup_mapper",
        "_validate_config",
        "_handle_termination",
        "discover_streams",
        "sync_all",
        "run_connection_test",
        "message_writer_class",
    },
}
SIGNATURES = [
    (own, base, name)
    for (own, base), names in OVERRIDES.items()
    for name in sorted(names - {"__init__", "message_writer_class", "_env_var_config", "metadata"})
]


def _inherited(own: type, base: type) -> set[str]:
    kinds = (classmethod, property, type(vars(CommandLine)["_env_var_config"]))
    mine = {name for name, part in vars(own).items() if callable(part) or isinstance(part, kinds)}
    theirs = {name for kind in base.__mro__ for name in vars(kind)}
    return (mine & theirs) - {"__annotate__", "__annotate_func__"}


@pytest.mark.parametrize(("own", "base"), OVERRIDES, ids=lambda kind: kind.__name__)
def test_this_file_knows_every_override(own: type, base: type) -> None:
    assert _inherited(own, base) == OVERRIDES[own, base]


@pytest.mark.parametrize(
    ("own", "base", "name"),
    SIGNATURES,
    ids=[f"{own.__name__}.{name}" for own, _, name in SIGNATURES],
)
def test_an_override_takes_the_arguments_of_the_sdk(own: type, base: type, name: str) -> None:
    def parameters(kind: type) -> list[tuple[str, Any, Any]]:
        found = inspect.signature(getattr(kind, name)).parameters.values()
        return [(part.name, part.kind, part.default) for part in found]

    assert parameters(own) == parameters(base)


# ---- get_replication_key_signpost ----------------------------------------------------------------


class SignpostedStream(OwnStream):
    """A stream of this package, but with the signpost of the SDK."""

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> Any:
        return Stream.get_replication_key_signpost(self, context)


@pytest.mark.parametrize(("stream", "has_signpost"), [(SignpostedStream, True), (OwnStream, False)])
def test_the_sdk_would_put_a_signpost_into_the_state(
    stream: type[OwnStream], *, has_signpost: bool
) -> None:
    states: list[str] = []

    class Looking(stream):  # type: ignore[misc, valid-type]
        @override
        def get_records(self, context: Context | None) -> Iterable[Record]:
            states.append(json.dumps(self.stream_state))
            return ()

    tap = tap_of(Looking)
    printed(tap.sync_all)
    assert ["signpost" in state for state in states] == [has_signpost]


# ---- finalize_state_progress_markers -------------------------------------------------------------


def test_the_sdk_would_give_a_child_a_part_of_the_state() -> None:
    source = inspect.getsource(Stream.finalize_state_progress_markers)
    assert "child_stream.finalize_state_progress_markers()" in source
    tap = tap_of(PlainStream)
    Stream.finalize_state_progress_markers(tap.streams["things"])
    assert tap.state == {"bookmarks": {"things": {}}}


# ---- _sync_records -------------------------------------------------------------------------------


def test_the_sdk_bookmarks_the_dates_of_rows() -> None:
    states = of_type("STATE", printed(tap_of(PlainStream).sync_all))
    bookmark = states[-1]["value"]["bookmarks"]["things"]
    assert bookmark["replication_key_value"] == "2026-05-03T00:00:00Z"


def test_a_stream_bookmarks_only_what_it_writes_itself() -> None:
    messages = printed(tap_of(OwnStream).sync_all)
    assert len(of_type("RECORD", messages)) == 3
    assert "replication_key_value" not in json.dumps(of_type("STATE", messages))


def test_the_sdk_syncs_a_child_once_per_parent_record() -> None:
    messages = printed(tap_of(PlainStream, PlainChildStream).sync_all)
    schemas = [message["stream"] for message in of_type("SCHEMA", messages)]
    assert schemas.count("parts") == len(ROWS)


def test_the_counter_of_the_sdk_logs_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), metrics.record_counter("things", log_interval=0) as counter:
        counter.increment()
        counter.increment()
        counter.increment()
    assert len(caplog.records) > 1


def test_the_sdk_ends_the_sync_of_all_streams_with_one_failure() -> None:
    tap = tap_of(lambda tap: PlainStream(tap, error="broken"), OtherPlainStream)
    written: list[dict[str, Any]] = []

    def sync() -> None:
        with pytest.raises(TapError, match="broken"):
            tap.sync_all()

    written += printed(sync)
    assert "zebras" not in {message.get("stream") for message in written}


def test_the_sdk_writes_the_state_after_each_batch_file(tmp_path: Path) -> None:
    written: list[str] = []

    class Noted(OwnStream):
        @override
        def _write_state_message(self) -> None:
            written.append(self.name)

    tap = tap_of(Noted, config=batch_config(tmp_path))
    files = of_type("BATCH", printed(tap.streams["things"].sync))
    assert written == ["things"] * len(files) != []


def test_a_failing_stream_leaves_the_others_alone() -> None:
    tap = tap_of(lambda tap: OwnStream(tap, error="broken"), OtherOwnStream)
    records = of_type("RECORD", printed(tap.sync_all))
    assert [message["stream"] for message in records] == ["things"] * 3 + ["zebras"] * 3
    failing = cast("OwnStream", tap.streams["things"])
    assert failing.failed
    assert [(name, str(error)) for name, error in failing.failures] == [("things", "broken")]


def test_the_sdk_syncs_by_its_hook_with_and_without_messages(tmp_path: Path) -> None:
    calls: list[bool] = []

    class Hooked(PlainStream):
        @override
        def _sync_records(
            self, context: Context | None = None, *, write_messages: bool = True
        ) -> Generator[dict[str, Any], Any, Any]:
            calls.append(write_messages)
            yield from ()

    printed(tap_of(Hooked).sync_all)
    printed(tap_of(Hooked, config=batch_config(tmp_path)).sync_all)
    assert calls == [True, False]


@pytest.mark.parametrize("stream", [PlainStream, OwnStream])
def test_the_record_limit_stops_a_test_run(stream: Callable[[Tap], Stream]) -> None:
    tap = tap_of(stream)
    messages = printed(lambda: tap.run_sync_dry_run(dry_run_record_limit=2))
    assert len(of_type("RECORD", messages)) == 2


def test_the_record_limit_counts_from_zero() -> None:
    stream = PlainStream(tap_of())
    stream.ABORT_AT_RECORD_COUNT = 1
    stream._check_max_record_limit(0)
    with pytest.raises((AbortedSyncFailedException, AbortedSyncPausedException)):
        stream._check_max_record_limit(1)


# ---- _generate_schema_messages -------------------------------------------------------------------


def amount_schema(kind: Callable[[Tap], Stream], **rest: Any) -> dict[str, Any]:
    (message,) = of_type("SCHEMA", printed(tap_of(kind, **rest).sync_all))
    found: dict[str, Any] = message["schema"]["properties"]["amount"]
    return found


def test_the_catalog_of_the_sdk_drops_the_precision_of_decimals() -> None:
    given = catalog(tap_of(PlainStream))
    assert not {"precision", "scale"} & amount_schema(PlainStream, catalog=given).keys()


@pytest.mark.parametrize("with_catalog", [False, True])
def test_a_schema_message_has_the_precision_of_decimals(*, with_catalog: bool) -> None:
    given = catalog(tap_of(OwnStream)) if with_catalog else None
    found = amount_schema(OwnStream, catalog=given)
    assert (found["precision"], found["scale"]) == (38, 9)


def test_the_sdk_writes_the_schema_messages_of_its_hook() -> None:
    class Hooked(PlainStream):
        @override
        def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
            yield SchemaMessage("hooked", {"properties": {}}, [])

    stream = Hooked(tap_of())
    assert [message["stream"] for message in printed(stream._write_schema_message)] == ["hooked"]


# ---- _generate_record_messages -------------------------------------------------------------------


class HookedRecords(PlainStream):
    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        yield RecordMessage("hooked", {"id": record["id"]}, time_extracted=BEGINNING)


def test_the_sdk_writes_the_record_messages_of_its_hook() -> None:
    stream = HookedRecords(tap_of())
    (message,) = printed(lambda: stream._write_record_message({"id": "1"}))
    assert (message["stream"], message["record"]) == ("hooked", {"id": "1"})


@pytest.mark.parametrize("stream", [PlainStream, OwnStream])
def test_a_record_without_messages_needs_a_state_message_afterwards(
    stream: Callable[[Tap], Stream],
) -> None:
    found = tap_of(stream).streams["things"]
    found.state_manager.is_flushed = True
    printed(lambda: found._write_record_message(dict(ROWS[0])))
    assert found.state_manager.is_flushed is False


def messages_of(
    stream: Stream, generate: Callable[[Any, Any], Iterator[RecordMessage]]
) -> list[dict[str, Any]]:
    found = [
        message.to_dict()
        for row in ROWS
        for message in generate(stream, json.loads(json.dumps(row)))
    ]
    for message in found:
        del message["time_extracted"]
    return found


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"stream_maps": {"things": {"note": "__NULL__", "twice": "id + id"}}},
        {"stream_maps": {"things": {"__filter__": "id != '2'", "__alias__": "others"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
    ids=["plain", "mapped", "filtered", "flattened"],
)
@pytest.mark.parametrize("deselected", [[], ["note"], ["note", "amount"]], ids=str)
def test_record_messages_are_those_of_the_sdk(
    config: dict[str, Any], deselected: list[str]
) -> None:
    given = catalog(tap_of(OwnStream), deselected=deselected)
    stream = tap_of(OwnStream, catalog=given, config=config).streams["things"]
    own = messages_of(stream, AmazonStream._generate_record_messages)
    assert own == messages_of(stream, Stream._generate_record_messages)
    assert own


def test_a_record_message_has_the_time_of_the_injected_clock() -> None:
    stream = tap_of(OwnStream).streams["things"]
    (message,) = stream._generate_record_messages(dict(ROWS[0]))
    assert message.time_extracted == BEGINNING


def test_the_sdk_conforms_the_types_of_every_record() -> None:
    # If it did not, the override would be needless where all fields are selected.
    record = {"id": "1", "changed": datetime(2026, 5, 1, tzinfo=UTC), "unknown": 1}
    (message,) = tap_of(PlainStream).streams["things"]._generate_record_messages(record)
    assert message.record.keys() == {"id", "changed"}
    assert isinstance(message.record["changed"], str)


def test_the_mask_shows_which_fields_are_selected() -> None:
    given = catalog(tap_of(OwnStream), deselected=["note"])
    mask = tap_of(OwnStream, catalog=given).streams["things"].mask
    assert mask["properties", "note"] is False
    assert mask["properties", "amount"] is True
    assert all(tap_of(OwnStream).streams["things"].mask.values())


# ---- what the catalog changes --------------------------------------------------------------------


def test_the_effective_schema_is_that_of_the_catalog() -> None:
    given = catalog(tap_of(OwnStream))
    del given["streams"][0]["schema"]["properties"]["note"]
    stream = tap_of(OwnStream, catalog=given).streams["things"]
    assert "note" not in stream.effective_schema["properties"]
    assert "note" in stream.schema["properties"]


def test_a_record_has_the_fields_of_the_catalog_only() -> None:
    given = catalog(tap_of(OwnStream))
    del given["streams"][0]["schema"]["properties"]["note"]
    stream = cast("OwnStream", tap_of(OwnStream, catalog=given).streams["things"])
    assert stream.record(dict(ROWS[0])).keys() == {"id", "changed", "amount"}


def test_a_catalog_names_other_keys_to_the_target_only() -> None:
    given = catalog(tap_of(OwnStream))
    given["streams"][0]["key_properties"] = ["note"]
    stream = cast("OwnStream", tap_of(OwnStream, catalog=given).streams["things"])
    assert (list(stream.primary_keys), list(stream.keys)) == (["note"], ["id"])


# ---- filters -------------------------------------------------------------------------------------


def test_the_filter_of_a_stream_map_can_be_asked_beforehand() -> None:
    config = {"stream_maps": {"things": {"__filter__": "id != '2'"}}}
    stream = cast("OwnStream", tap_of(OwnStream, config=config).streams["things"])
    assert stream.filter is not None
    assert [stream.filter(dict(row)) for row in ROWS] == [True, False, True]


def test_without_a_filter_there_is_none_to_ask() -> None:
    assert cast("OwnStream", tap_of(OwnStream).streams["things"]).filter is None


def test_there_is_no_filter_where_the_catalog_lacks_the_stream() -> None:
    given = catalog(tap_of(OtherOwnStream))
    tap = tap_of(OwnStream, OtherOwnStream, catalog=given)
    assert "things" not in tap.mapper.stream_maps
    assert cast("OwnStream", tap.streams["things"]).filter is None


# ---- what the schema cannot hold -----------------------------------------------------------------


class RescuingStream(OwnStream):
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            **SCHEMA["properties"],
            "rescuedData": {"type": ["object", "null"], "additionalProperties": True},
        },
    }


def odd_rows(count: int = 2) -> list[dict[str, Any]]:
    return [{"id": str(number), "amount": "cheap", "new": [1]} for number in range(count)]


def rescued_by(
    kind: type[OwnStream], *, rows: list[dict[str, Any]], **rest: Any
) -> tuple[OwnStream, list[Record]]:
    stream = cast("OwnStream", tap_of(kind, **rest).streams["things"])
    return stream, [stream.record(row) for row in rows]


def test_what_a_record_cannot_hold_is_in_rescued_data() -> None:
    _, records = rescued_by(RescuingStream, rows=[*odd_rows(1), dict(ROWS[0])])
    assert records == [
        {"id": "0", "amount": None, "rescuedData": {"amount": "cheap", "new": [1]}},
        {**ROWS[0], "rescuedData": None},
    ]


def warnings_of(caplog: pytest.LogCaptureFixture, stream: OwnStream) -> list[str]:
    caplog.clear()
    stream.warn_of_rescued()
    return [record.getMessage() for record in caplog.records]


def test_one_warning_names_all_rescued_fields(caplog: pytest.LogCaptureFixture) -> None:
    stream, _ = rescued_by(RescuingStream, rows=odd_rows())
    assert warnings_of(caplog, stream) == [
        "things: new fields, or values of another type, are kept in rescuedData: amount, new"
    ]
    assert warnings_of(caplog, stream) == []


def test_a_warning_names_ten_fields_and_counts_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = {"id": "1", **{f"new{number}": number for number in range(12)}}
    stream, _ = rescued_by(RescuingStream, rows=[row])
    (warning,) = warnings_of(caplog, stream)
    assert warning.endswith("new9 and 2 more")


def test_a_warning_says_that_values_are_lost_where_the_catalog_lacks_the_field(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream, (record, *_) = rescued_by(OwnStream, rows=odd_rows())
    assert record == {"id": "0", "amount": None}
    (warning,) = warnings_of(caplog, stream)
    assert "are lost: the catalog does not select rescuedData: amount, new" in warning


def test_a_warning_names_no_value_and_no_address(caplog: pytest.LogCaptureFixture) -> None:
    row = {"id": "1", "jane@example.com": "joe@example.com", "amount": "joe@example.com"}
    stream, _ = rescued_by(RescuingStream, rows=[row])
    (warning,) = warnings_of(caplog, stream)
    assert "example.com" not in warning


def test_the_sync_of_a_stream_ends_with_the_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(RescuingStream):
        @override
        def get_records(self, context: Context | None) -> Iterable[Record]:
            yield from map(self.record, odd_rows(3))

    printed(tap_of(Odd).sync_all)
    assert caplog.text.count("kept in rescuedData") == 1


# ---- the shape -----------------------------------------------------------------------------------


def shape(*, deselected: Sequence[str] = (), described: str | None = None, **config: Any) -> str:
    given = catalog(tap_of(OwnStream), deselected=deselected)
    if described is not None:
        given["streams"][0]["schema"]["properties"]["note"]["description"] = described
    tap = tap_of(OwnStream, catalog=given, config=config)
    return cast("OwnStream", tap.streams["things"]).shape


@pytest.mark.parametrize(
    "other",
    [
        {"deselected": ["note"]},
        {"stream_maps": {"things": {"twice": "id + id"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
    ids=str,
)
def test_what_changes_the_records_changes_the_shape(other: dict[str, Any]) -> None:
    assert shape(**other) != shape() == shape()


def test_a_description_does_not_change_the_shape() -> None:
    assert shape(described="one") == shape(described="another")


# ---- requests after the end ----------------------------------------------------------------------


@pytest.mark.parametrize("error", ["", "broken"])
def test_a_stream_that_has_ended_or_failed_asks_for_nothing_more(error: str) -> None:
    tap = tap_of(partial(OwnStream, error=error))
    client = cast("IdleClient", cast("OwnStream", tap.streams["things"]).client)
    printed(tap.sync_all)
    assert not client.is_open


# ---- the state -----------------------------------------------------------------------------------


def test_a_bookmark_replaces_the_streams_part_of_the_state() -> None:
    before = {"bookmarks": {"things": {"old": 1}, "zebras": {"kept": 2}}}
    stream = cast("OwnStream", tap_of(OwnStream, OtherOwnStream, state=before).streams["things"])
    (message,) = printed(lambda: stream.write_bookmark({"things": {"new": 3}}))
    expected = {"bookmarks": {"things": {"new": 3}, "zebras": {"kept": 2}}}
    assert (message["type"], message["value"]) == ("STATE", expected)


def test_the_sdk_writes_a_state_once() -> None:
    stream = cast("OwnStream", tap_of(OwnStream).streams["things"])
    assert len(printed(lambda: stream.write_bookmark({"things": {"new": 3}}))) == 1
    assert printed(stream._write_state_message) == []


def test_the_sdk_hands_states_to_the_tap_s_writer() -> None:
    seen: list[Message] = []

    class Seeing(SingerWriter):
        @override
        def write_message(self, message: Message) -> None:
            seen.append(message)

    class Tapping(PlainTap):
        message_writer_class = Seeing

    Tapping(lambda tap: [PlainStream(tap)]).sync_all()
    assert {type(message) for message in seen} == {SchemaMessage, RecordMessage, StateMessage}


# ---- BATCH files ---------------------------------------------------------------------------------


def batch_config(folder: Path) -> dict[str, Any]:
    return {
        "batch_config": {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": folder.as_uri(), "prefix": "batch-"},
        }
    }


def batched(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of BATCH messages."""
    return [
        json.loads(line)
        for message in of_type("BATCH", messages)
        for uri in message["manifest"]
        for line in gzip.decompress(Path(urlsplit(uri).path).read_bytes()).splitlines()
    ]


MAPPED: dict[str, Any] = {
    "stream_maps": {"things": {"__filter__": "id != '2'", "twice": "id + id"}}
}


def test_the_sdk_ignores_stream_maps_in_batch_files(tmp_path: Path) -> None:
    tap = tap_of(PlainStream, config={**batch_config(tmp_path), **MAPPED})
    records = batched(printed(tap.sync_all))
    assert len(records) == 3
    assert not any("twice" in record for record in records)


def test_the_sdk_ignores_deselected_fields_in_batch_files(tmp_path: Path) -> None:
    given = catalog(tap_of(PlainStream), deselected=["note"])
    tap = tap_of(PlainStream, catalog=given, config=batch_config(tmp_path))
    assert all("note" in record for record in batched(printed(tap.sync_all)))


def test_a_batch_file_holds_mapped_records_without_deselected_fields(tmp_path: Path) -> None:
    given = catalog(tap_of(OwnStream), deselected=["note"])
    tap = tap_of(OwnStream, catalog=given, config={**batch_config(tmp_path), **MAPPED})
    records = batched(printed(tap.sync_all))
    assert [(record["id"], record["twice"]) for record in records] == [("1", "11"), ("3", "33")]
    assert not any("note" in record for record in records)


def test_a_child_s_batch_file_holds_what_its_parent_has_it_write(tmp_path: Path) -> None:
    tap = tap_of(OwnStream, config=batch_config(tmp_path))
    stream = cast("OwnStream", tap.streams["things"])
    messages = printed(lambda: stream.write(dict(row) for row in ROWS))
    assert batched(messages) == ROWS


def test_records_need_no_batch_file_without_batch_config() -> None:
    stream = cast("OwnStream", tap_of(OwnStream).streams["things"])
    messages = printed(lambda: stream.write(dict(row) for row in ROWS))
    assert [message["record"] for message in messages] == ROWS


def test_the_sdk_writes_a_batch_message_for_every_alias(tmp_path: Path) -> None:
    config = {**batch_config(tmp_path), "stream_maps": {"things": {"__alias__": "others"}}}
    messages = of_type("BATCH", printed(tap_of(PlainStream, config=config).sync_all))
    assert {message["stream"] for message in messages} == {"others"}


def test_a_renamed_stream_cannot_have_batch_files(tmp_path: Path) -> None:
    config = {**batch_config(tmp_path), "stream_maps": {"things": {"__alias__": "others"}}}
    tap = tap_of(OwnStream, config=config)
    printed(tap.sync_all)
    ((_, error),) = cast("OwnStream", tap.streams["things"]).failures
    assert "stream_maps splits or renames the stream" in error.message


# ---- the tap: settings ---------------------------------------------------------------------------


def test_the_sdk_accepts_unknown_settings_and_dates_that_are_none() -> None:
    PlainTap(config={"sinse": 1, "since": "soon"})


def test_the_sdk_puts_the_whole_schema_into_its_error() -> None:
    with pytest.raises(ConfigValidationError) as caught:
        PlainTap(config={"since": 1})
    assert caught.value.schema is not None
    assert "since" in caught.value.schema["properties"]


def test_the_sdk_checks_settings_by_its_hook_before_it_discovers_streams() -> None:
    calls: list[str] = []

    class Hooked(PlainTap):
        @override
        def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
            calls.append(f"settings, raise_errors={raise_errors}")
            return []

        @override
        def discover_streams(self) -> Sequence[Stream]:
            calls.append("streams")
            return []

    _ = Hooked(validate_config=True).streams
    _ = Hooked(validate_config=False).streams
    assert calls == [
        "settings, raise_errors=True",
        "streams",
        "settings, raise_errors=False",
        "streams",
    ]


# ---- the tap: state ------------------------------------------------------------------------------


@pytest.mark.parametrize("bookmarks", [[], "text", {"purchase_orders": 5}, {"purchase_orders": []}])
def test_a_damaged_state_is_named(bookmarks: object) -> None:
    with pytest.raises(TapError, match="The state is damaged"):
        TapAmazonBusiness(config=CREDENTIALS, state={"bookmarks": bookmarks})


@pytest.mark.parametrize("bookmarks", ["text", {"things": 5}])
def test_the_sdk_crashes_on_a_damaged_state(bookmarks: object) -> None:
    with pytest.raises(AttributeError):
        PlainTap(state={"bookmarks": bookmarks})


# ---- the tap: signals ----------------------------------------------------------------------------


def test_the_sdk_writes_the_state_at_a_signal_and_reports_success() -> None:
    tap = PlainTap(state={"bookmarks": {"things": {"a": 1}}})

    def terminate() -> None:
        with pytest.raises(SystemExit) as caught:
            tap._handle_termination(signal.SIGTERM, None)
        assert caught.value.code == 0

    assert len(of_type("STATE", printed(terminate))) == 1


def test_a_signal_ends_the_tap_with_its_number_and_without_a_message() -> None:
    tap = TapAmazonBusiness(config=CREDENTIALS)

    def terminate() -> None:
        with pytest.raises(SystemExit) as caught:
            tap._handle_termination(signal.SIGTERM, None)
        assert caught.value.code == 128 + signal.SIGTERM

    assert printed(terminate) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sdk_handles_signals_by_its_hook(number: signal.Signals) -> None:
    tap = TapAmazonBusiness(config=CREDENTIALS)
    assert signal.getsignal(number) == tap._handle_termination


# ---- the tap: the command line -------------------------------------------------------------------


def test_the_sdk_opens_the_state_and_the_catalog_itself() -> None:
    command = PlainTap.get_singer_command()
    kinds = {option.name: type(option.type) for option in command.params}
    assert kinds["state"] is kinds["catalog"] is click.File
    for option in TapAmazonBusiness.get_singer_command().params:
        if option.name in {"state", "catalog"}:
            assert type(option.type) is click.types.StringParamType


def test_the_sdk_ignores_a_state_in_any_form_but_one() -> None:
    tap = PlainTap(state={"singer_state": {"bookmarks": {"things": {"a": 1}}}})
    assert not tap.state.get("bookmarks")


def test_the_sdk_crashes_on_a_malformed_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    class Numbered(PlainTap):
        config_jsonschema: ClassVar[dict[str, Any]] = {
            "type": "object",
            "properties": {"days": {"type": ["integer"]}},
        }

    monkeypatch.setenv("TAP_PLAIN_DAYS", "many")
    with pytest.raises(ValueError, match="many"):
        Numbered(parse_env_config=True)


def test_a_malformed_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAP_AMAZON_BUSINESS_LOOKBACK_DAYS", "many")
    with pytest.raises(TapError, match="TAP_AMAZON_BUSINESS_LOOKBACK_DAYS"):
        TapAmazonBusiness(config=CREDENTIALS, parse_env_config=True)


class CommandTap(PlainTap):
    """A tap whose runs fail in a way that only its own overrides notice."""

    name = "tap-command"
    ends: ClassVar[list[str]] = []

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        self.ends.append("sync")

    @override  # type: ignore[misc]
    def run_connection_test(self) -> bool:
        self.ends.append("test")
        return False


@pytest.mark.parametrize(("arguments", "hook"), [([], "sync"), (["--test"], "test")])
def test_the_command_line_of_the_sdk_calls_the_hook(arguments: list[str], hook: str) -> None:
    CommandTap.ends.clear()
    result = CliRunner().invoke(CommandTap.cli, arguments)
    # The SDK does not look at what a connection test returns, hence `cb_test`.
    assert (result.exit_code, CommandTap.ends) == (0, [hook])


class CatalogTap(CommandTap):
    """A tap that records whether it got a catalog."""

    @override  # type: ignore[misc]
    def run_connection_test(self) -> bool:
        self.ends.append("with" if self.input_catalog else "without")
        return False


class OwnCatalogTap(CatalogTap, CommandLine):
    """The same, with the command line of this package."""


@pytest.mark.parametrize(
    ("tap", "expected"), [(CatalogTap, (0, ["without"])), (OwnCatalogTap, (1, ["with"]))]
)
def test_the_sdk_tests_without_the_catalog_and_ignores_the_result(
    tap: type[CatalogTap], expected: tuple[int, list[str]], tmp_path: Path
) -> None:
    CommandTap.ends.clear()
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(tap_of(PlainStream).catalog_dict), encoding="utf-8")
    result = CliRunner().invoke(tap.cli, ["--test", "--catalog", str(catalog)])
    assert (result.exit_code, CommandTap.ends) == expected


def own_tap(*kinds: Callable[..., Stream], **rest: Any) -> TapAmazonBusiness:
    """Return the tap with other streams."""

    class Tapping(TapAmazonBusiness):
        @override
        def discover_streams(self) -> Sequence[AmazonStream]:
            return [
                cast("AmazonStream", kind(self, on_failure=self._fail, flush=self._writer.flush))
                for kind in kinds
            ]

    return Tapping(config={**CREDENTIALS, **rest.pop("config", {})}, **rest)


def failing_tap(error: str = "broken") -> TapAmazonBusiness:
    """Return the tap with one stream, which fails with this error if there is one."""
    return own_tap(partial(OwnStream, error=error))


def raised(act: Callable[[], object]) -> str:
    found: list[str] = []

    def run() -> None:
        with pytest.raises(TapError) as caught:
            act()
        found.append(caught.value.message)

    printed(run)
    return found[0]


def test_a_sync_with_a_failed_stream_ends_with_an_error() -> None:
    message = raised(failing_tap().sync_all)
    assert "Failed: things" in message
    assert "broken" in message


def test_a_sync_freezes_what_was_imported() -> None:
    gc.unfreeze()
    printed(own_tap(OwnStream).sync_all)
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 0


# ---- the tap: all streams ------------------------------------------------------------------------

# The tap's own sync_all does all that the SDK's does, but at the same time for all streams.
WAYS = pytest.mark.parametrize(
    ("make", "stream", "other"),
    [(tap_of, PlainStream, OtherPlainStream), (own_tap, OwnStream, OtherOwnStream)],
    ids=["the SDK", "this tap"],
)
Make = Callable[..., Tap]


def noting(kind: type[Stream], calls: list[str]) -> Callable[..., Stream]:
    """Return a stream that notes what a tap calls."""

    class Noting(kind):  # type: ignore[misc, valid-type]
        @override
        def sync(self, context: Context | None = None) -> None:
            calls.append(f"sync {self.name}")
            super().sync(context)

        @override
        def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None:
            calls.append(f"finalize {self.name}")
            super().finalize_state_progress_markers(state)

    return Noting


def notes_of_hooks(tap: Tap, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_reset_state_progress_markers", "_set_compatible_replication_methods"):
        hook = getattr(tap, name)

        def call(hook: Callable[[], None] = hook, name: str = name) -> None:
            calls.append(name)
            hook()

        monkeypatch.setattr(tap, name, call)


@WAYS
def test_a_sync_prepares_the_state_before_it_syncs_and_finalizes_each_stream(
    make: Make, stream: type[Stream], other: type[Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    tap = make(noting(stream, calls), noting(other, calls))
    notes_of_hooks(tap, calls, monkeypatch)
    printed(tap.sync_all)
    assert calls[:2] == ["_reset_state_progress_markers", "_set_compatible_replication_methods"]
    for name in ("things", "zebras"):
        own = [call for call in calls if call.endswith(name)]
        assert own == [f"sync {name}", f"finalize {name}"]
    assert len(calls) == 6


@WAYS
def test_a_sync_writes_the_state_that_it_was_given_first(
    make: Make, stream: type[Stream], other: type[Stream]
) -> None:
    given = {"bookmarks": {"things": {"replication_key": "changed"}}}
    messages = printed(make(stream, other, state=given).sync_all)
    assert messages[0]["type"] == "STATE"
    assert messages[0]["value"]["bookmarks"] == given["bookmarks"]
    without = printed(make(stream, other).sync_all)
    assert without[0]["type"] == "SCHEMA"


@WAYS
def test_a_sync_skips_deselected_streams(
    make: Make, stream: type[Stream], other: type[Stream]
) -> None:
    given = catalog(make(stream, other))
    for entry in given["streams"][0]["metadata"]:
        entry["metadata"]["selected"] = False
    messages = printed(make(stream, other, catalog=given).sync_all)
    assert {message["stream"] for message in of_type("SCHEMA", messages)} == {"zebras"}


def test_a_sync_leaves_a_child_to_its_parents() -> None:
    class Parts(ChildStream, OwnStream):
        name = "parts"
        parent_stream_type = OwnStream

        @override
        def records_of(self, parents: Sequence[Record]) -> Iterator[Record]:
            pytest.fail("its parents were not read")

    messages = printed(own_tap(OwnStream, Parts).sync_all)
    assert {message["stream"] for message in of_type("SCHEMA", messages)} == {"things"}


def test_the_only_other_part_of_a_sync_of_the_sdk_is_a_log_of_costs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = inspect.getsource(Tap.sync_all)
    called = set(re.findall(r"(?:self|stream)\.(\w+)\(", source)) - {"info", "debug"}
    assert called == {
        "_reset_state_progress_markers",
        "_set_compatible_replication_methods",
        "sync",
        "finalize_state_progress_markers",
        "log_sync_costs",
    }
    stream = tap_of(PlainStream).streams["things"]
    caplog.clear()
    stream.log_sync_costs()
    assert not caplog.records  # there are none


def points(caplog: pytest.LogCaptureFixture, sync: Callable[[], object]) -> list[dict[str, Any]]:
    """Return what the METRIC lines of a sync hold."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        printed(sync)
    lines = [record.getMessage() for record in caplog.records]
    found = [json.loads(line[8:]) for line in lines if line.startswith("METRIC: ")]
    for point in found:
        if point["metric"] == "sync_duration":
            assert point.pop("value") >= 0
    return found


def test_metric_lines_are_those_of_the_sdk(caplog: pytest.LogCaptureFixture) -> None:
    expected = points(caplog, tap_of(PlainStream, OtherPlainStream).sync_all)
    for point in expected:
        assert point["tags"].pop("context") == {}  # no stream of this tap has one
    assert points(caplog, own_tap(OwnStream, OtherOwnStream).sync_all) == expected


def test_meltano_shows_the_stream_of_a_metric_line(caplog: pytest.LogCaptureFixture) -> None:
    expected = points(caplog, own_tap(OwnStream).sync_all)
    format_line = StructuredFormatter().format  # what Meltano reads, which shows the message only
    lines = [json.loads(format_line(record)) for record in caplog.records]
    metric_lines = [line for line in lines if line["message"].startswith("METRIC")]
    assert all('"stream":"things"' in line["message"] for line in metric_lines)
    shown = [line["extra"]["metric_info"] for line in metric_lines]
    assert [point["metric"] for point in shown] == [point["metric"] for point in expected]


def test_the_metric_line_of_a_failed_stream_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def sync() -> None:
        with pytest.raises(TapError):
            failing_tap().sync_all()

    statuses = [point["tags"].get("status") for point in points(caplog, sync)]
    assert statuses == ["failed", None]


def test_the_streams_that_do_not_fail_are_complete() -> None:
    tap = own_tap(partial(OwnStream, error="broken"), OtherOwnStream)
    messages: list[dict[str, Any]] = []

    def sync() -> None:
        with pytest.raises(TapError, match="Failed: things"):
            tap.sync_all()

    messages += printed(sync)
    records = [message["stream"] for message in of_type("RECORD", messages)]
    assert (records.count("things"), records.count("zebras")) == (3, 3)


def test_an_unexpected_error_of_a_stream_is_raised() -> None:
    class Crashing(OwnStream):
        @override
        def get_records(self, context: Context | None) -> Iterable[Record]:
            raise ZeroDivisionError

    tap = own_tap(Crashing, OtherOwnStream)

    def sync() -> None:
        with pytest.raises(ZeroDivisionError):
            tap.sync_all()

    printed(sync)


# ---- the tap: children ---------------------------------------------------------------------------


def test_the_sdk_leaves_children_to_their_parents() -> None:
    tap = tap_of(PlainStream, PlainChildStream)
    assert tap.streams["things"].child_streams == [tap.streams["parts"]]

    class Childless(PlainStream):
        @override
        def generate_child_contexts(
            self, record: Record, context: Context | None
        ) -> Iterable[Context | None]:
            return ()

    class Child(PlainChildStream):
        parent_stream_type = Childless

    messages = printed(tap_of(Childless, Child).sync_all)
    assert {message["stream"] for message in of_type("RECORD", messages)} == {"things"}


def test_the_sdk_syncs_a_parent_of_which_only_a_child_is_selected() -> None:
    given = catalog(tap_of(PlainStream, PlainChildStream))
    for stream in given["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] == "parts"
    tap = tap_of(PlainStream, PlainChildStream, catalog=given)
    records = of_type("RECORD", printed(tap.sync_all))
    assert [message["stream"] for message in records] == ["parts"] * 3


# ---- the tap: what it declares -------------------------------------------------------------------


def test_the_sdk_makes_the_writer_of_the_tap_s_class() -> None:
    assert isinstance(TapAmazonBusiness(config=CREDENTIALS).message_writer, Writer)
    assert isinstance(PlainTap().message_writer, SingerWriter)


def test_the_sdk_declares_activate_version_by_default() -> None:
    own = {str(part.value) for part in TapAmazonBusiness.capabilities}
    # Releases from 0.55 on declare start-date, too.
    theirs = {str(part.value) for part in Tap.capabilities}
    assert theirs - own - {"start-date"} == {"activate-version"}
