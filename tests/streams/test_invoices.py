"""invoices and invoice_payments: what is asked for, what comes later, and what is refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Reply, Reset
from tests.support.catalogs import select
from tests.support.faults import Answers, Refuses, refusal
from tests.support.runs import Run, run_by
from tests.support.serving import NO_LIMITS, serve, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator import Call, Simulator
    from tests.support.clocks import FakeClock

PARENT, INVOICES, PAYMENTS = "transactions", "invoices", "invoice_payments"
ALL = select(PARENT, INVOICES, PAYMENTS)
GET_INVOICES = "getInvoiceDetailsByOrderLineItems"
GET_PAYMENTS = "getBatchInvoicePaymentDetails"
LINE = {"orderId": "O1", "orderLineItemId": "L1", "shipmentId": "S1"}


def asked(calls: Iterable[Call], operation: str) -> list[list[Any]]:
    """Return what each request to an operation asked for."""
    bodies = [json.loads(call.body) for call in calls if call.operation == operation]
    return [next(iter(body.values())) for body in bodies]


def sync_answers(
    clock: FakeClock,
    *invoices: object,
    payments: object = (),
    number: str | None = None,
    line: object = LINE,
) -> Run:
    """Sync one transaction with a line, with these rows of invoices and of payments."""
    transaction = {
        "transactionId": "T1",
        "invoiceNumber": number,
        "transactionLineItems": [line],
    }
    faults = [
        Answers("getTransactions", {"transactions": [transaction]}),
        Answers(GET_INVOICES, {"invoiceDetailsByOrderLineItems": [*invoices]}),
        Answers(GET_PAYMENTS, {"invoicePaymentDetailsResults": payments}),
    ]
    with serve(clock, orders=0, faults=faults) as serving:
        return run_by(clock, settings(serving, start_date="2026-05-29"), catalog=ALL)


def lines_of(serving: Simulator) -> list[tuple[str, ...]]:
    return sorted({key[:3] for key in serving.rows(INVOICES)})


# ---- what is asked for ---------------------------------------------------------------------------


def test_nothing_is_asked_for_by_default(clock: FakeClock) -> None:
    with serve(clock, orders=20) as serving:
        run = run_by(clock, settings(serving))
        operations = serving.stats().operations
    assert run.records(PARENT)
    assert not run.schemas.keys() & {INVOICES, PAYMENTS}
    assert operations[GET_INVOICES].requests == operations[GET_PAYMENTS].requests == 0


def test_each_line_and_each_invoice_is_asked_for_once_25_at_a_time(clock: FakeClock) -> None:
    with serve(clock, orders=200, quirks=False) as serving:
        run = run_by(clock, settings(serving), catalog=ALL)
        calls = serving.stats().calls
        transactions = serving.rows(PARENT).values()
        invoices = serving.rows(INVOICES).values()
    wanted = {
        tuple(line[name] for name in LINE)
        for transaction in transactions
        for line in transaction["transactionLineItems"]
    }
    lines = asked(calls, GET_INVOICES)
    assert Counter(tuple(line.values()) for batch in lines for line in batch) == Counter(wanted)
    numbers = {row["invoiceNumber"] for row in (*transactions, *invoices)}
    numbers |= {
        row["consolidatedInvoiceDetails"]["invoiceNumber"]
        for row in invoices
        if "consolidatedInvoiceDetails" in row
    }
    ids = asked(calls, GET_PAYMENTS)
    assert Counter(one for batch in ids for one in batch) == Counter(numbers)
    assert {max(map(len, batches)) for batches in (lines, ids)} == {25}
    assert run.status == 0, run.log


def test_a_batch_that_fails_in_passing_is_posted_again_as_it_is(clock: FakeClock) -> None:
    with serve(clock, orders=3, quirks=False) as serving:
        for fault in (Reply(503), Reply(429), Reply(401), Reset()):
            serving.fail_next(GET_INVOICES, fault)
        config = settings(serving, max_parallel_requests=1)
        run = run_by(clock, config, catalog=select(INVOICES))
        calls = [call for call in serving.stats().calls if call.operation == GET_INVOICES]
        expected = set(serving.rows(INVOICES))
    assert run.status == 0, run.log
    assert set(run.keys(INVOICES)) == expected
    assert len({call.body for call in calls[:5]}) == 1
    assert [call.status for call in calls[4:]].count(200) == len(calls[4:])


def test_the_transactions_themselves_need_not_be_selected(clock: FakeClock) -> None:
    with serve(clock, orders=60) as serving:
        run = run_by(clock, settings(serving), catalog=select(INVOICES, PAYMENTS))
        expected = {name: set(serving.rows(name)) for name in (INVOICES, PAYMENTS)}
    assert not run.records(PARENT)
    assert {name: set(run.keys(name)) for name in expected} == expected


def test_payments_without_invoices_are_those_of_the_transactions_numbers(clock: FakeClock) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        run = run_by(clock, settings(serving), catalog=select(PAYMENTS))
        numbers = {(row["invoiceNumber"],) for row in serving.rows(PARENT).values()}
    assert set(run.keys(PAYMENTS)) == numbers


@pytest.mark.parametrize("lacking", LINE)
def test_a_line_that_is_not_shipped_yet_is_not_asked_for(clock: FakeClock, lacking: str) -> None:
    run = sync_answers(clock, line={**LINE, lacking: None})
    assert run.status == 0, run.log
    assert not run.records(INVOICES)


@pytest.mark.parametrize("number", ["", "Pending", None, "x" * 256])
def test_what_is_no_invoice_id_is_not_asked_for(clock: FakeClock, number: str | None) -> None:
    paid = {"invoiceId": "I1", "resultType": "SUCCESS", "paymentDetails": {"status": "Closed"}}
    assert not sync_answers(clock, payments=[paid], number=number).records(PAYMENTS)


# ---- what comes later ----------------------------------------------------------------------------


def test_what_was_late_comes_with_the_lookback_and_transactions_do_not(clock: FakeClock) -> None:
    with serve(clock, orders=150) as serving:
        first = run_by(clock, settings(serving), catalog=ALL)
        before = {name: serving.rows(name) for name in (INVOICES, PAYMENTS)}
        serving.world.close_books()
        clock.advance(days=1)
        second = run_by(clock, settings(serving), catalog=ALL, state=first.state)
        after = {name: serving.rows(name) for name in (INVOICES, PAYMENTS)}
    for name, rows in after.items():
        assert set(first.keys(name)) == set(before[name])
        assert len(rows) > len(before[name])
        assert set(first.keys(name)) | set(second.keys(name)) == set(rows)
    statuses = {**first.by_key(PAYMENTS), **second.by_key(PAYMENTS)}
    assert {key: record["paymentDetails"]["status"] for key, record in statuses.items()} == {
        key: row["paymentDetails"]["status"] for key, row in after[PAYMENTS].items()
    }
    assert all(date > "2026-05-30" for date in feed_dates(second))


def feed_dates(run: Run) -> list[str]:
    return [record["feedDate"] for record in run.records(PARENT)]


def test_a_consolidated_number_takes_the_place_of_pending(clock: FakeClock) -> None:
    def pending(run: Run) -> set[tuple[Any, ...]]:
        return {
            key
            for key, record in run.by_key(INVOICES).items()
            if (record.get("consolidatedInvoiceDetails") or {}).get("invoiceNumber") == "Pending"
        }

    with serve(clock, orders=150) as serving:
        first = run_by(clock, settings(serving), catalog=ALL)
        serving.world.close_books()
        clock.advance(days=1)
        second = run_by(clock, settings(serving), catalog=ALL, state=first.state)
    assert pending(first)
    assert pending(first) <= set(second.keys(INVOICES))
    assert pending(second) == set()


def test_an_invoice_without_a_number_does_not_come_yet(clock: FakeClock) -> None:
    details = [{"invoiceNumber": number} for number in ("Pending", "", None, "I1")]
    run = sync_answers(clock, {"orderLineItem": LINE, "invoiceDetails": details})
    assert run.keys(INVOICES) == [("O1", "L1", "S1", "I1")]


@pytest.mark.parametrize("details", [None, [], "none"])
def test_a_line_without_details_has_no_record(clock: FakeClock, details: object) -> None:
    run = sync_answers(clock, {"orderLineItem": LINE, "invoiceDetails": details}, {})
    assert run.status == 0, run.log
    assert not run.records(INVOICES)


def test_a_payment_that_is_not_found_leaves_the_good_row_alone(clock: FakeClock) -> None:
    results = [
        {"invoiceId": "I1", "resultType": "ERROR", "error": {"code": "NoSuchInvoice"}},
        {"invoiceId": "I2", "resultType": "ERROR", "error": {"code": "NoSuchInvoice"}},
        {"invoiceId": "I3", "resultType": "ERROR"},
        {"invoiceId": "I4", "resultType": "SUCCESS", "paymentDetails": {"status": "Issued"}},
    ]
    run = sync_answers(clock, payments=results, number="I1")
    assert run.status == 0, run.log
    assert run.keys(PAYMENTS) == [("I4",)]
    logged = re.findall(r"invoices without payment details: (\d) \((\w+)\)", run.log)
    assert logged == [("2", "NoSuchInvoice"), ("1", "ERROR")]


def test_rows_of_the_sandbox_that_lack_fields_are_logged_once(clock: FakeClock) -> None:
    invoice = {"invoiceNumber": "I1"}
    bare = [{"invoiceDetails": [invoice]}, {"orderLineItem": {}, "invoiceDetails": [invoice, 7]}, 7]
    run = sync_answers(clock, *bare, {"orderLineItem": LINE, "invoiceDetails": [invoice]})
    assert run.status == 0, run.log
    assert run.keys(INVOICES) == [("O1", "L1", "S1", "I1")]
    assert run.log.count("a row without its key was skipped") == 1
    assert run.log.count("not an object, skipped") == 1


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404])
def test_a_line_that_is_refused_leaves_the_others_of_its_batch_alone(
    clock: FakeClock, status: int
) -> None:
    with serve(clock, orders=60, quirks=False) as serving:
        line = lines_of(serving)[7]
    options = replace(NO_LIMITS, refused_items={line[1]: status})
    with serve(clock, options, orders=60, quirks=False) as serving:
        run = run_by(clock, settings(serving), catalog=select(INVOICES))
        expected = {key for key in serving.rows(INVOICES) if key[1] != line[1]}
        requests = serving.stats().operations[GET_INVOICES].by_status
    assert run.status == 0, run.log
    assert set(run.keys(INVOICES)) == expected
    assert re.search(rf"1 order lines from {line[1]} of order {line[0]}\) was refused", run.log)
    assert requests[status] <= 6
    assert run.bookmark(PARENT)


def test_an_operation_that_refuses_every_line_fails_its_stream_alone(clock: FakeClock) -> None:
    refused = Refuses(GET_INVOICES, refusal(400, "INVALID_REQUEST_PARAMETER"))
    with serve(clock, orders=60, faults=[refused]) as serving:
        run = run_by(clock, settings(serving, max_parallel_requests=1), catalog=ALL)
        transactions = set(serving.rows(PARENT))
    assert run.status == 1
    assert f"Failed: {INVOICES} (" in run.log
    assert set(run.keys(PARENT)) == transactions
    assert run.records(PAYMENTS)
    assert run.bookmark(PARENT) < max(feed_dates(run))
    assert len(refused.met) < 200


def test_a_missing_role_fails_its_stream_alone(clock: FakeClock) -> None:
    options = replace(NO_LIMITS, lacking_roles=frozenset({GET_PAYMENTS}))
    with serve(clock, options, orders=60) as serving:
        run = run_by(clock, settings(serving), catalog=ALL)
        expected = set(serving.rows(INVOICES))
    assert run.status == 1
    assert re.search(rf"{PAYMENTS}: {GET_PAYMENTS} .*'Business Purchase Reconciliation'", run.log)
    assert f"Failed: {PAYMENTS} (" in run.log
    assert set(run.keys(INVOICES)) == expected
