"""Invoices and payments: posted, in batches, in any order, and not all complete."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from simulator import Options
from simulator.tests.support import Client, Simulators, error_of

INVOICES = "/reconciliation/2021-01-08/invoices"
PAYMENTS = INVOICES + "/batch/paymentDetails"
LINE = ("orderId", "orderLineItemId", "shipmentId")


def lines(client: Client) -> list[dict[str, str]]:
    """Return 25 order lines that have invoices."""
    keys = sorted({key[:3] for key in client.simulator.rows("invoices")})
    return [dict(zip(LINE, key, strict=True)) for key in keys[:25]]


def ids(client: Client) -> list[str]:
    return [key[0] for key in sorted(client.simulator.rows("invoice_payments"))[:25]]


def invoices(client: Client, wanted: list[dict[str, str]]) -> list[dict[str, Any]]:
    reply = client.post(INVOICES, {"orderLineItems": wanted}).json()
    rows: list[dict[str, Any]] = reply["invoiceDetailsByOrderLineItems"]
    return rows


def test_returns_the_invoices_of_lines_in_an_order_of_its_own(simulators: Simulators) -> None:
    client = simulators.start()
    wanted = lines(client)
    rows = invoices(client, wanted)
    assert [row["orderLineItem"] for row in rows] != wanted
    found = {
        (*row["orderLineItem"].values(), detail["invoiceNumber"]): detail
        for row in rows
        for detail in row["invoiceDetails"]
    }
    expected = {
        key: {name: part for name, part in row.items() if name not in LINE}
        for key, row in client.simulator.rows("invoices").items()
        if key[:3] in {tuple(line.values()) for line in wanted}
    }
    assert found == expected


def test_returns_the_payments_of_invoices(simulators: Simulators) -> None:
    client = simulators.start()
    rows = client.post(PAYMENTS, {"invoiceIds": ids(client)}).json()["invoicePaymentDetailsResults"]
    expected = client.simulator.rows("invoice_payments")
    assert {(row["invoiceId"],): row for row in rows} == {
        (one,): expected[one,] for one in ids(client)
    }


def test_a_line_or_an_invoice_that_is_unknown_has_no_details(simulators: Simulators) -> None:
    client = simulators.start()
    assert invoices(client, [dict.fromkeys(LINE, "unknown")]) == []
    (row,) = client.post(PAYMENTS, {"invoiceIds": ["X"]}).json()["invoicePaymentDetailsResults"]
    assert (row["resultType"], row["error"]["code"]) == ("ERROR", "InvoiceNotFound")


def test_what_is_late_comes_when_the_books_are_closed(simulators: Simulators) -> None:
    world = simulators.world(orders=200, quirks=True)
    client = simulators.start(world)
    streams = ("invoices", "invoice_payments")
    before = {name: client.simulator.rows(name) for name in streams}
    assert "Pending" in json.dumps(list(before["invoices"].values()), default=str)
    world.close_books()
    after = {name: client.simulator.rows(name) for name in streams}
    for name in streams:
        assert before[name].keys() < after[name].keys()
    assert "Pending" not in json.dumps(list(after["invoices"].values()), default=str)
    late = [key for key in after["invoices"] if key not in before["invoices"]]
    assert invoices(client, [dict(zip(LINE, late[0][:3], strict=True))])[0]["invoiceDetails"]


@pytest.mark.parametrize(
    ("path", "name", "one"),
    [(INVOICES, "orderLineItems", dict.fromkeys(LINE, "x")), (PAYMENTS, "invoiceIds", "x")],
)
def test_takes_one_to_25_things(
    simulators: Simulators, path: str, name: str, one: Mapping[str, str] | str
) -> None:
    client = simulators.start()
    assert client.post(path, {name: [one] * 25}).status_code == 200
    wrongs: list[object] = [{name: []}, {name: [one] * 26}, {name: [7]}, {name: [""]}, {}, [], b"-"]
    for wrong in wrongs:
        assert error_of(client.post(path, wrong)) == (400, "INVALID_REQUEST_PARAMETER")


def test_an_invoice_id_has_at_most_255_characters(simulators: Simulators) -> None:
    client = simulators.start()
    assert client.post(PAYMENTS, {"invoiceIds": ["x" * 255]}).status_code == 200
    assert client.post(PAYMENTS, {"invoiceIds": ["x" * 256]}).status_code == 400


def test_refuses_another_media_type_and_too_much(simulators: Simulators) -> None:
    client = simulators.start()
    body = {"invoiceIds": ["x"]}
    assert client.post(PAYMENTS, body, kind="text/plain").status_code == 415
    assert client.post(PAYMENTS, {**body, "more": "x" * 2**16}).status_code == 413
    assert client.post(INVOICES, {"orderLineItems": []}, kind="text/plain").status_code == 400


@pytest.mark.parametrize("path", [INVOICES, PAYMENTS])
def test_only_post_is_known(simulators: Simulators, path: str) -> None:
    assert simulators.start().get(path, "business_api").status_code == 404


@pytest.mark.parametrize("status", [400, 404])
def test_one_thing_can_make_it_refuse_a_batch(simulators: Simulators, status: int) -> None:
    client = simulators.start(options=Options(limits=False, refused_items={"bad": status}))
    assert client.post(PAYMENTS, {"invoiceIds": ["good", "bad"]}).status_code == status
    assert client.post(PAYMENTS, {"invoiceIds": ["good"]}).status_code == 200


def test_outside_of_japan_an_invoice_shows_little(simulators: Simulators) -> None:
    few = {"invoiceNumber", "invoiceDate", "invoiceType", "consolidatedInvoiceDetails", *LINE}
    rows = simulators.start().simulator.rows("invoices").values()
    assert {name for row in rows for name in row} <= few
    japan = simulators.start(simulators.world(regions=("JP",))).simulator.rows("invoices").values()
    assert all({"billToAddress", "invoiceTotal", "fees"} <= row.keys() for row in japan)
