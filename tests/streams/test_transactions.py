"""transactions: payments and refunds by the date of their feed, with exact amounts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.catalogs import EXACT, select
from tests.support.faults import Answers, Refuses, has_page_token, refusal
from tests.support.runs import run_by
from tests.support.serving import serve, settings

if TYPE_CHECKING:
    from simulator import Request
    from tests.support.clocks import FakeClock

STREAM = "transactions"


@pytest.mark.parametrize("catalog", [None, select(STREAM)], ids=["none", "given"])
def test_the_schema_shows_how_many_decimals_an_amount_has(
    clock: FakeClock, catalog: dict[str, Any] | None
) -> None:
    # Without precision and scale, Snowflake's loader makes whole numbers of them.
    with serve(clock, orders=2) as serving:
        run = run_by(clock, settings(serving), catalog=catalog)
    (schema,) = [
        message["schema"]["properties"]
        for message in run.messages
        if message["type"] == "SCHEMA" and message["stream"] == STREAM
    ]
    assert EXACT.items() <= schema["shipTaxRate"].items()
    assert EXACT.items() <= schema["amount"]["properties"]["amount"].items()
    line = schema["transactionLineItems"]["items"]["properties"]
    assert EXACT.items() <= line["unitPrice"]["properties"]["amount"].items()


def test_a_plain_amount_is_kept_like_one_with_a_currency(clock: FakeClock) -> None:
    plain = {"transactionId": "T1", "amount": "12.30", "transactionLineItems": [{"tax": 4}]}
    answers = Answers("getTransactions", {"transactions": [plain]})
    with serve(clock, orders=0, faults=[answers]) as serving:
        run = run_by(clock, settings(serving, start_date="2026-05-29"), catalog=select(STREAM))
    (record,) = run.records(STREAM)
    assert record["amount"] == {"amount": "12.30"}
    assert record["transactionLineItems"] == [{"tax": {"amount": "4"}}]


def test_a_second_sync_reads_the_recent_days_again(clock: FakeClock) -> None:
    with serve(clock, orders=60) as serving:
        first = run_by(clock, settings(serving), catalog=select(STREAM))
        serving.reset_stats()
        run_by(clock, settings(serving), state=first.state, catalog=select(STREAM))
        (call,) = serving.stats().calls
    hour = datetime.fromisoformat(first.bookmark(STREAM)).replace(minute=0, second=0)
    since = hour - timedelta(days=2, seconds=1)
    assert datetime.fromisoformat(call.parameters["feedStartDate"]) == since


def test_a_next_page_that_is_refused_is_requested_by_its_token_alone(clock: FakeClock) -> None:
    def page(request: Request) -> object:
        if "nextPageToken" in request.parameters:
            return {"transactions": [{"transactionId": "T2"}]}
        return {"transactions": [{"transactionId": "T1"}], "nextPageToken": "next"}

    refused = Refuses(
        "getTransactions",
        refusal(400, "INVALID_REQUEST_PARAMETER"),
        lambda request: has_page_token(request) and len(request.parameters) > 1,
    )
    answers = Answers("getTransactions", page)
    with serve(clock, orders=0, faults=[refused, answers]) as serving:
        run = run_by(clock, settings(serving, start_date="2026-05-29"), catalog=select(STREAM))
    assert run.status == 0, run.log
    assert run.keys(STREAM) == [("T1",), ("T2",)]
    assert answers.asked[-1].parameters == {"nextPageToken": "next"}
