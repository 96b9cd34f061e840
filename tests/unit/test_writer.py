"""The writer: the same messages as the SDK's own, message for message, and none too late."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.io_base import SingerWriter
from singer_sdk.singerlib import RecordMessage, SchemaMessage, StateMessage

from simulator import Options, Simulator, World
from tap_amazon_business.tap import TapAmazonBusiness
from tap_amazon_business.writer import Writer
from tests.support.runs import run_by

if TYPE_CHECKING:
    import pytest
    from singer_sdk.singerlib.encoding.simple import Message

    from tests.support.clocks import FakeClock

decimals = st.decimals(allow_nan=False, allow_infinity=False).filter(
    # The SDK's own writer turns -0E+1 and the like into other spellings of nothing.
    lambda number: not number.is_zero()
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | decimals,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def written(writer: Any, *messages: Message) -> list[Any]:
    """Return what a writer writes, parsed; numbers as the text of their digits."""
    binary = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(binary, encoding="utf-8", write_through=True)):
        for message in messages:
            writer.write_message(message)
        if isinstance(writer, Writer):
            writer.flush()
        sys.stdout.flush()
        lines = binary.getvalue().splitlines()  # of bytes: text would end at more than newlines
    return [json.loads(line, parse_float=str, parse_int=str) for line in lines]


@given(st.dictionaries(st.text(), values, max_size=5))
def test_records_are_the_same_as_the_default_writer_s(record: dict[str, Any]) -> None:
    message = RecordMessage("stream", record, time_extracted=datetime(2026, 6, 1, tzinfo=UTC))
    (mine,), (default,) = written(Writer(), message), written(SingerWriter(), message)
    times = [datetime.fromisoformat(part.pop("time_extracted")) for part in (mine, default)]
    assert times[0] == times[1]
    assert mine == default


def test_a_decimal_keeps_its_digits() -> None:
    record = {"amount": Decimal("12345678901234567890.1234567890"), "rest": Decimal("0.10")}
    (message,) = written(Writer(), RecordMessage("stream", record))
    assert message["record"] == {"amount": "12345678901234567890.1234567890", "rest": "0.10"}


def test_schemas_and_states_are_the_same_as_the_default_writer_s() -> None:
    tap = TapAmazonBusiness(config={}, validate_config=False)
    messages: list[Message] = [
        SchemaMessage(stream.name, stream.schema, list(stream.primary_keys))
        for stream in tap.streams.values()
    ]
    messages.append(StateMessage({"bookmarks": {"ä": {"replication_key_value": "2026"}}}))
    assert written(Writer(), *messages) == written(SingerWriter(), *messages)


def test_a_whole_sync_is_the_same_with_either_writer(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync() -> list[dict[str, Any]]:
        messages = run_by(clock, config).messages
        for message in messages:
            message.pop("time_extracted", None)
        return messages

    class Default(SingerWriter):
        def flush(self) -> None:
            """Do nothing: the default writer hands on each message at once."""

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


def test_what_a_state_covers_is_handed_on_with_it() -> None:
    binary = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(binary, encoding="utf-8")):
        writer = Writer()
        writer.write_message(RecordMessage("stream", {"id": 1}))
        writer.write_message(StateMessage({"bookmarks": {}}))
        assert len(binary.getvalue().splitlines()) == 2
