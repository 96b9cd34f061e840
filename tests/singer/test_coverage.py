"""Coverage of a state: another account, an earlier start, a state that Meltano has merged."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator import Simulator, World
from tests.support.chain import PROJECT
from tests.support.clocks import FakeClock
from tests.support.faults import Fails, refusal
from tests.support.runs import TapAmazonBusiness
from tests.support.serving import CHILDREN, NO_LIMITS, STREAMS, serve
from tests.support.syncs import Syncs, last, warnings

ORDERS = "purchase_orders"
PARENTS = tuple(stream for stream in STREAMS if stream not in CHILDREN)

# ---- which account -----------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [ORDERS, "orders"])
def test_another_account_is_read_from_the_beginning(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, stream: str
) -> None:
    with serve(clock, orders=50, seed=1) as serving:
        syncs = Syncs(clock, serving, stream)
        syncs.sync()
        port = int(serving.url.rpartition(":")[2])
    clock.advance(hours=1)
    # The same host, and another refresh token.
    options = replace(NO_LIMITS, account="-2")
    other = World(orders=50, seed=2, now=clock.now)
    with Simulator(other, options, port=port, monotonic=clock.monotonic) as serving:
        again = Syncs(clock, serving, stream)
        again.state = syncs.state
        caplog.clear()
        run = again.sync()
        expected = serving.rows(stream)
    assert run.by_key(stream).keys() == expected.keys()
    assert warnings(caplog, stream, "account")


def test_a_state_holds_a_fingerprint_of_the_refresh_token(clock: FakeClock) -> None:
    with serve(clock, orders=5) as serving:
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        config = serving.config()
    assert syncs.state is not None
    account = syncs.state["bookmarks"][ORDERS]["covers"]["account"]
    assert len(account) <= 8
    assert config["sp_api_refresh_token"] not in json.dumps(syncs.state)


# ---- since when --------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [ORDERS, "orders"])
@pytest.mark.parametrize("start", [None, "2026-03-01T00:00:00Z"], ids=["taken away", "earlier"])
def test_an_earlier_start_has_its_past_read(
    clock: FakeClock, stream: str, start: str | None
) -> None:
    settings: dict[str, Any] = {} if start is None else {"start_date": start}
    with serve(clock, orders=60, quirks=False) as serving:
        late = Syncs(clock, serving, stream, start_date="2026-05-20T00:00:00Z")
        first = late.sync()
        syncs = Syncs(clock, serving, stream, **settings)
        syncs.state = late.state
        runs = [first, syncs.after(1)]
        # What a first sync from there reads.
        expected = Syncs(clock, serving, stream, **settings).sync()
    assert len(first.records(stream)) < len(expected.records(stream)) / 2
    assert last(runs, stream).keys() == expected.by_key(stream).keys()


def test_a_later_start_has_nothing_read_again(clock: FakeClock) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        clock.advance(hours=1)
        run = syncs.sync(start_date="2026-05-01T00:00:00Z")
    assert len(run.records(ORDERS)) < 5


@pytest.mark.parametrize("days", [30, 200])
def test_a_position_before_the_reach_is_moved_to_it_with_one_warning(
    clock: FakeClock, caplog: pytest.LogCaptureFixture, days: float
) -> None:
    with serve(clock, orders=20, quirks=False) as serving:
        syncs = Syncs(clock, serving, ORDERS)
        syncs.sync()
        caplog.clear()
        run = syncs.after(24 * days)
        assert len(warnings(caplog, "179 days")) == (days > 179)
        caplog.clear()
        syncs.after(1)
        stats = serving.stats()
    assert run.bookmark() == (clock.now() - timedelta(hours=1, minutes=2)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    assert warnings(caplog, "179 days") == []
    assert [entry for entry in stats.malformed if entry[1] == 400] == []


# ---- the state that is written -----------------------------------------------------------------

BOOKMARK = {
    "replication_key",
    "replication_key_value",
    "lookback_position",
    "checksums",
    "covers",
}


def test_every_key_is_in_every_state_whatever_the_settings(clock: FakeClock) -> None:
    plain: dict[str, Any] = {}
    narrow: dict[str, Any] = {"ordering_vendor_codes": ["A", "B"], "purchase_order_state": "New"}
    covers = dict[str, set[frozenset[str]]]()
    with serve(clock, orders=20, quirks=False) as serving:
        for streams, settings in ((STREAMS, plain), (PARENTS, plain), (PARENTS, narrow)):
            run = Syncs(clock, serving, *streams, **settings).sync()
            for state in run.states:
                for stream, mark in state["bookmarks"].items():
                    # A stream that has not got a bookmark yet may have an empty one.
                    if mark:
                        assert mark.keys() == BOOKMARK, stream
                        sums = mark["checksums"]
                        assert sums is None or sums.keys() - {"by_day"} == {"days", "hours"}, stream
                        covers.setdefault(stream, set()).add(frozenset(mark["covers"]))
    assert covers.keys() >= set(PARENTS)
    for stream, found in covers.items():
        (names,) = found
        assert names >= {"host", "account", "since"}, stream


def merged(complete: Any, failed: Any) -> Any:
    """Merge the state of a run that failed into the last complete one, as Meltano does."""
    if not (isinstance(complete, dict) and isinstance(failed, dict)):
        return failed
    return {**complete, **{name: merged(complete.get(name), failed[name]) for name in failed}}


def test_a_state_that_meltano_has_merged_resumes_where_the_failed_run_ended(
    clock: FakeClock,
) -> None:
    failing = Fails("getPurchaseOrders", 30, refusal(400, "InvalidInput"))
    failing.over = True
    with serve(clock, orders=100, quirks=False, faults=[failing]) as serving:
        rows = serving.rows(ORDERS)
        codes = sorted({r["orderDetails"]["sellingParty"]["partyId"] for r in rows.values()})
        one = Syncs(clock, serving, ORDERS, ordering_vendor_codes=codes[:1])
        one.sync()
        # Without the vendor codes, everything is read again; that run fails in the middle.
        every = Syncs(clock, serving, ORDERS)
        every.state = one.state
        failing.over = False
        failed = every.sync(status=1)
        middle = failed.bookmark()
        failing.over = True
        every.state = merged(deepcopy(one.state), failed.state)
        serving.reset_stats()
        resumed = every.after(1)
        calls = serving.stats().calls
    assert "2025-12-10" < middle < "2026-05-01"
    # What lies before is listed for the lookback alone.
    ends = [call.parameters.get("createdBefore", middle) for call in calls]
    assert len([end for end in ends if end < middle]) <= 2
    assert set(failed.keys(ORDERS)) | set(resumed.keys(ORDERS)) == rows.keys()


def test_the_state_of_all_streams_is_small(clock: FakeClock) -> None:
    with serve(clock, orders=150, quirks=False) as serving:
        syncs = Syncs(clock, serving, *STREAMS)
        sizes = [len(json.dumps(state)) for state in syncs.sync().states]
        for hours in (1, 30):
            sizes += [len(json.dumps(state)) for state in syncs.after(hours).states]
    assert syncs.state is not None
    assert any(mark.get("checksums") for mark in syncs.state["bookmarks"].values())
    assert max(sizes) < 1_000 * len(PARENTS)


# ---- the sample configuration ------------------------------------------------------------------


def test_the_sample_configuration_with_credentials_runs_the_main_job() -> None:
    sample = json.loads((PROJECT / "sample_config.json").read_text(encoding="utf-8"))
    own = TapAmazonBusiness.config_jsonschema["properties"]
    credentials = {name for name in own if name.endswith(("_id", "_secret", "_token"))}
    chosen = {"sp_api_region", "business_api_regions", "start_date"}
    assert credentials <= sample.keys() <= credentials | chosen
    clock = FakeClock(datetime.fromisoformat(sample["start_date"]) + timedelta(days=100))
    with serve(clock, orders=60, quirks=False) as serving:
        filled_in = {
            **{name: serving.config()[name] for name in credentials},
            **{name: sample[name] for name in chosen & sample.keys()},
        }
        run = Syncs(clock, serving, ORDERS, "order_reports", **filled_in).sync()
        plain = {name: sample[name] for name in ("start_date", "business_api_regions")}
        expected = Syncs(clock, serving, ORDERS, "order_reports", **plain).sync()
    assert 10 < len(run.records(ORDERS)) < 60
    for stream in (ORDERS, "order_reports"):
        assert run.by_key(stream).keys() == expected.by_key(stream).keys()
