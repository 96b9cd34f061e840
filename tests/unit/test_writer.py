"""The writer writes the same messages as the SDK's own, and none of them late."""

from __future__ import annotations

import io
import json
import sys
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

from simulator import Options, Simulator, World
from tap_amazon_business.tap import TapAmazonBusiness
from tap_amazon_business.writer import Writer
from tests.support.runs import run_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import ReadableBuffer
    from singer_sdk.singerlib.encoding.simple import Message

    from tests.support.clocks import FakeClock

decimals = st.decimals(allow_nan=False, allow_infinity=False).filter(
    # The SDK's own writer spells -0E+1 and the like in another way.
    lambda number: not number.is_zero()
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | decimals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def written(writer: Any, *messages: Message) -> list[Any]:
    """Return what a writer writes, parsed, with numbers as the text of their digits."""
    binary = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(binary, encoding="utf-8", write_through=True)):
        for message in messages:
            writer.write_message(message)
        if isinstance(writer, Writer):
            writer.flush()
        sys.stdout.flush()
        lines = binary.getvalue().splitlines()  # bytes: text has more line ends than newlines
    return [json.loads(line, parse_float=str, parse_int=str) for line in lines]


@given(st.dictionaries(st.text(), values, max_size=5))
def test_writes_records_like_the_default_writer(record: dict[str, Any]) -> None:
    message = RecordMessage("stream", record, time_extracted=datetime(2026, 6, 1, tzinfo=UTC))
    (mine,), (default,) = written(Writer(), message), written(SingerWriter(), message)
    times = [datetime.fromisoformat(part.pop("time_extracted")) for part in (mine, default)]
    assert times[0] == times[1]
    assert mine == default


def test_keeps_every_digit_of_a_decimal() -> None:
    record = {"amount": Decimal("12345678901234567890.1234567890"), "rest": Decimal("0.10")}
    (message,) = written(Writer(), RecordMessage("stream", record))
    assert message["record"] == {"amount": "12345678901234567890.1234567890", "rest": "0.10"}


def test_writes_schemas_and_states_like_the_default_writer() -> None:
    tap = TapAmazonBusiness(config={}, validate_config=False)
    messages: list[Message] = [
        SchemaMessage(stream.name, stream.schema, list(stream.primary_keys))
        for stream in tap.streams.values()
    ]
    messages.append(StateMessage({"bookmarks": {"ä": {"replication_key_value": "2026"}}}))
    assert written(Writer(), *messages) == written(SingerWriter(), *messages)


def test_a_whole_sync_writes_the_same_as_with_the_default_writer(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync() -> list[str]:
        messages = run_by(clock, config).messages
        for message in messages:
            message.pop("time_extracted", None)
        # Streams take turns as their pages come, and the clock moves on.
        kept = [message for message in messages if message["type"] != "STATE"]
        return sorted(json.dumps(message, default=str, sort_keys=True) for message in kept)

    class Default(SingerWriter):
        def flush(self) -> None:
            """Do nothing: the default writer passes on each message immediately."""

    with Simulator(
        World(orders=60, now=clock.now), Options(), monotonic=clock.monotonic
    ) as serving:
        span = {"start_date": "2026-03-01", "end_date": "2026-05-30"}
        config = serving.config(**span, order_reports_strategy="purchase_order")
        mine = sync()
        monkeypatch.setattr(TapAmazonBusiness, "message_writer_class", Default)
        default = sync()
    assert len(mine) > 500
    assert mine == default


def test_passes_on_records_with_their_state() -> None:
    binary = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(binary, encoding="utf-8")):
        writer = Writer()
        writer.write_message(RecordMessage("stream", {"id": 1}))
        writer.write_message(StateMessage({"bookmarks": {}}))
        assert len(binary.getvalue().splitlines()) == 2


# ---- when messages are passed on -----------------------------------------------------------------


class Output(io.BytesIO):
    """Standard output, whose writes can be partial, interrupted or refused."""

    def __init__(
        self, *, most: int = sys.maxsize, during: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._most = most
        self._during = during
        self.writes = 0

    @override
    def write(self, data: ReadableBuffer) -> int:
        self.writes += 1
        if self._during:
            self._during()
        return super().write(memoryview(data)[: self._most])

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@contextmanager
def standard_output(output: Output) -> Iterator[None]:
    # Nothing in between may collect what is written.
    stream = io.TextIOWrapper(output, encoding="utf-8")
    with redirect_stdout(stream):
        yield
    stream.detach()


RECORD = RecordMessage("stream", {"id": 1})
STATE = StateMessage({"bookmarks": {}})


def test_holds_back_records_until_they_are_worth_a_write() -> None:
    output, writer = Output(), Writer()
    with standard_output(output):
        for _ in range(100):
            writer.write_message(RECORD)
        assert output.writes == 0
        for _ in range(10_000):
            writer.write_message(RECORD)
    assert 0 < output.writes < 10


def test_writes_the_rest_after_a_partial_write() -> None:
    output, writer = Output(most=7), Writer()
    with standard_output(output):
        for message in (RECORD, RECORD, STATE):
            writer.write_message(message)
    assert [line["type"] for line in output.lines] == ["RECORD", "RECORD", "STATE"]


def test_stops_at_once_between_messages() -> None:
    with pytest.raises(SystemExit) as caught:
        Writer().stop(143)
    assert caught.value.code == 143


def test_stops_after_the_lines_that_a_signal_interrupts() -> None:
    writer = Writer()
    output = Output(most=7, during=lambda: writer.stop(143))
    with standard_output(output), pytest.raises(SystemExit) as caught:
        writer.write_message(STATE)
    assert caught.value.code == 143
    assert [line["type"] for line in output.lines] == ["STATE"]


def test_writes_to_an_output_that_collects_text() -> None:
    text = io.StringIO()
    with redirect_stdout(text):
        Writer().write_message(STATE)
    assert json.loads(text.getvalue())["type"] == "STATE"


def test_a_broken_pipe_reaches_the_caller() -> None:
    def refuse() -> None:
        raise BrokenPipeError

    with standard_output(Output(during=refuse)), pytest.raises(BrokenPipeError):
        Writer().write_message(STATE)
