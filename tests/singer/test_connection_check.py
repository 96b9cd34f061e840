"""The connection check (`--test`): a line per credential set, operation and region."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from simulator import Options, Plan, Reply, Simulator
from tap_amazon_business.api.operations import OPERATIONS as ALL_OPERATIONS
from tap_amazon_business.api.sandbox import EXAMPLES
from tests.support.checks import HeldClock, Overdue, check
from tests.support.faults import Refuses, Served, refusal
from tests.support.runs import Run, run_tap, select
from tests.support.serving import BUSINESS_ONLY, NO_LIMITS, OPERATIONS, VENDOR_ONLY, serve
from tests.support.sockets import closed_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import Fault

WRONG = "a-wrong-secret"
NOT_FOUND = refusal(404, "NotFound")

SIGNED_IN = ["Login with Amazon (sp_api): ok", "Login with Amazon (business_api): ok"]
VENDOR_OPERATIONS = [n for n in OPERATIONS if ALL_OPERATIONS[n].path.startswith("/vendor")]
REPORT_OPERATIONS = [n for n in OPERATIONS if ALL_OPERATIONS[n].path.startswith("/reports")]
VENDOR = [
    f"{operation} (NA): ok, 10 requests/s, data back to 2025-12-04"
    for operation in VENDOR_OPERATIONS
]
REPORTS = [
    f"{operation} ({region}): ok, 0.5 requests/s, data back to 2024-06-02"
    for operation in REPORT_OPERATIONS
    for region in ("US", "CA")
]
TRANSACTIONS = "getTransactions (US, CA): ok, 2 requests/s, data back to 2024-06-02"


@pytest.fixture(name="clock")
def held_clock() -> Iterator[HeldClock]:
    """Return a clock on which a check has all the time that it needs."""
    clock = HeldClock()
    yield clock
    clock.let_pass()


@pytest.fixture
def serving(clock: HeldClock) -> Iterator[Simulator]:
    """Serve a few orders; the plans are Amazon's."""
    with serve(clock, orders=300, quirks=False) as simulator:
        yield simulator


def lines(run: Run) -> list[str]:
    return run.output.splitlines()


def line(run: Run, operation: str) -> str:
    """Return the only line of an operation, without its name."""
    (found,) = re.findall(rf"^{operation} \(.*?\): (.*)", run.output, re.MULTILINE)
    text: str = found
    return text


def numbers(serving: Simulator, operation: str) -> list[str | None]:
    """Return the purchase order numbers that were asked for, in any region."""
    return [call.argument for call in serving.stats().calls if call.operation == operation]


# ---- all is ok -----------------------------------------------------------------------------------


def test_reports_each_credential_set_operation_and_region(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    run = check(clock, serving.config(), tmp_path)
    assert run.status == 0
    assert lines(run)[:2] == SIGNED_IN
    assert sorted(lines(run)[2:]) == sorted([*VENDOR, *REPORTS, TRANSACTIONS])


def test_asks_each_operation_once_in_each_region(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    check(clock, serving.config(), tmp_path)
    stats = serving.stats()
    asked = {name: stats.operations[name].requests for name in OPERATIONS}
    assert asked == {
        **dict.fromkeys([*VENDOR_OPERATIONS, "getTransactions"], 1),
        **dict.fromkeys(REPORT_OPERATIONS, 2),
    }
    assert stats.token_requests == {"selling_partner": 1, "business": 1}
    assert stats.malformed == {}
    assert not stats.unknown_parameters


def test_asks_for_a_single_row_where_an_operation_lets_it(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    check(clock, serving.config(**VENDOR_ONLY), tmp_path)
    limits = {c.operation: c.parameters.get("limit") for c in serving.stats().calls}
    assert limits == {**dict.fromkeys(VENDOR_OPERATIONS, "1"), "getPurchaseOrder": None}


def test_reports_since_when_there_is_data(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    run = check(clock, serving.config(start_date="2026-01-15"), tmp_path)
    assert {row.rpartition(" ")[2] for row in lines(run)[2:]} == {"2026-01-15"}
    older = check(clock, serving.config(start_date="2025-01-15"), tmp_path)
    assert line(older, "getPurchaseOrders").endswith("data back to 2025-12-04")
    assert line(older, "getTransactions").endswith("data back to 2025-01-15")


def test_reports_the_rate_that_amazon_announces(clock: HeldClock, tmp_path: Path) -> None:
    options = replace(NO_LIMITS, announced_rates={"getPurchaseOrders": 25, "getTransactions": 0.2})
    with serve(clock, options, orders=5) as serving:
        run = check(clock, serving.config(), tmp_path)
    assert line(run, "getPurchaseOrders").startswith("ok, 25 requests/s,")
    assert line(run, "getTransactions").startswith("ok, 0.2 requests/s,")


def test_stays_within_the_rate_limits_of_the_settings(clock: HeldClock, tmp_path: Path) -> None:
    plan = {"rate": 3, "burst": 2}
    with serve(clock, Options(rates={"getPurchaseOrders": Plan(rate=9, burst=9)})) as serving:
        run = check(clock, serving.config(rate_limits={"getPurchaseOrders": plan}), tmp_path)
    assert line(run, "getPurchaseOrders").startswith("ok, 3 requests/s,")


# ---- what is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (VENDOR_ONLY, [SIGNED_IN[0], *VENDOR]),
        # Without vendor credentials, order_reports come from the lists.
        (
            BUSINESS_ONLY,
            [SIGNED_IN[1], *[row for row in REPORTS if "Number" not in row], TRANSACTIONS],
        ),
    ],
    ids=["vendor", "business"],
)
def test_one_credential_set_is_enough(
    clock: HeldClock,
    serving: Simulator,
    tmp_path: Path,
    config: dict[str, str],
    expected: list[str],
) -> None:
    run = check(clock, serving.config(**config), tmp_path)
    assert run.status == 0
    assert sorted(lines(run)) == sorted(expected)


@pytest.mark.parametrize("first", [True, False], ids=["catalog first", "catalog last"])
def test_asks_only_what_the_catalog_selects(
    clock: HeldClock, serving: Simulator, tmp_path: Path, *, first: bool
) -> None:
    catalog = tmp_path / "selected.json"
    catalog.write_text(json.dumps(select("transactions", "shipments")), "utf-8")
    parts = ["--catalog", str(catalog)]
    run = check(
        clock, serving.config(), tmp_path, *([*parts, "--test"] if first else ["--test", *parts])
    )
    assert run.status == 0
    assert {row.partition(" (")[0] for row in lines(run)} == {
        "Login with Amazon",
        "getShipmentReports",
        "getTransactions",
    }
    assert not numbers(serving, "getPurchaseOrders")


@pytest.mark.parametrize("rule", ["lacking_roles", "missing_operations"])
def test_what_a_sync_can_do_without_is_no_failure(
    clock: HeldClock, tmp_path: Path, rule: str
) -> None:
    needed = {"getPurchaseOrders", "getPurchaseOrder", "getOrderReportsByPurchaseOrderNumber"}
    others: dict[str, Any] = {rule: frozenset(OPERATIONS) - needed}
    options = replace(NO_LIMITS, **others)
    catalog = tmp_path / "selected.json"
    catalog.write_text(json.dumps(select("purchase_orders", "order_reports")), "utf-8")
    with serve(clock, options, orders=30, quirks=False) as serving:
        config = serving.config(business_api_regions=["US"])
        run = check(clock, config, tmp_path, "--test", "--catalog", str(catalog))
    assert run.status == 0, run.output
    assert line(run, "getOrderReports") == "refused; order_reports are requested by number"
    changes = "refused; changes of older orders arrive within 24 hours"
    assert line(run, "getPurchaseOrdersStatus") == changes


@pytest.mark.parametrize(
    ("stream", "operations"),
    [
        (
            "purchase_order_items",
            {"getPurchaseOrders", "getPurchaseOrdersStatus", "getPurchaseOrder"},
        ),
        (
            "order_reports",
            {
                "getPurchaseOrders",
                "getPurchaseOrdersStatus",
                "getPurchaseOrder",
                "getOrderReports",
                "getOrderReportsByPurchaseOrderNumber",
            },
        ),
        ("purchase_order_statuses", {"getPurchaseOrdersStatus"}),
        ("invoices", {"getTransactions", "getInvoiceDetailsByOrderLineItems"}),
        ("invoice_payments", {"getTransactions", "getBatchInvoicePaymentDetails"}),
    ],
)
def test_asks_what_a_stream_really_uses(
    clock: HeldClock, serving: Simulator, tmp_path: Path, stream: str, operations: set[str]
) -> None:
    run = check(clock, serving.config(), tmp_path, catalog=select(stream))
    assert run.status == 0
    asked = {row.partition(" (")[0] for row in lines(run)} - {"Login with Amazon"}
    assert asked == operations


def test_a_strategy_that_sends_no_numbers_is_not_asked_by_number(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    run = check(clock, serving.config(order_reports_strategy="order_date"), tmp_path)
    assert "getOrderReports (US)" in run.output
    assert "getOrderReportsByPurchaseOrderNumber" not in run.output


def test_an_empty_selection_is_not_ok(clock: HeldClock, serving: Simulator, tmp_path: Path) -> None:
    run = check(clock, serving.config(), tmp_path, catalog=select())
    assert run.status == 1
    assert lines(run) == ["No stream is selected: nothing to check."]


# ---- purchase order numbers ----------------------------------------------------------------------

BY_NUMBER = ("getPurchaseOrder", "getOrderReportsByPurchaseOrderNumber")


def test_asks_by_a_number_that_the_lists_name(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    check(clock, serving.config(), tmp_path)
    own = {row["purchaseOrderNumber"] for row in serving.rows("purchase_orders").values()}
    asked = {number for operation in BY_NUMBER for number in numbers(serving, operation)}
    assert len(asked) == 1
    assert asked <= own


def test_asks_by_the_first_number_of_the_settings(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    run = check(clock, serving.config(purchase_order_numbers=["..", "A/1 ü", "B"]), tmp_path)
    assert run.status == 0
    assert {n for operation in BY_NUMBER for n in numbers(serving, operation)} == {"A/1 ü"}
    assert line(run, "getPurchaseOrder").endswith("data back to 2025-12-04")
    assert "getPurchaseOrders (" not in run.output


def test_an_account_without_orders_is_ok(clock: HeldClock, tmp_path: Path) -> None:
    with serve(clock, orders=0) as serving:
        run = check(clock, serving.config(), tmp_path)
    assert run.status == 0
    assert line(run, "getPurchaseOrder").startswith("ok, ")


# ---- what is not ok ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "other"), [("sp_api", "business_api"), ("business_api", "sp_api")]
)
def test_a_set_that_cannot_sign_in_is_not_asked_and_the_other_one_is(
    clock: HeldClock, serving: Simulator, tmp_path: Path, prefix: str, other: str
) -> None:
    run = check(clock, serving.config(**{f"{prefix}_client_secret": WRONG}), tmp_path)
    assert run.status == 1
    assert f"Login with Amazon ({other}): ok" in lines(run)
    (refused,) = [row for row in lines(run) if row.startswith(f"Login with Amazon ({prefix}): ref")]
    assert f"{prefix}_client_secret" in refused
    (left_out,) = [row for row in lines(run) if row.startswith("Skipped because")]
    ours = OPERATIONS[:4] if prefix == "sp_api" else OPERATIONS[4:]
    reason, _, names = left_out.partition(": ")
    assert reason == f"Skipped because {prefix} cannot sign in"
    assert sorted(names.split(", ")) == sorted(ours)
    asked = {call.operation for call in serving.stats().calls}
    assert asked == {*OPERATIONS} - {*ours}
    assert WRONG not in run.output + run.log


def test_a_missing_role_is_reported_and_the_rest_is_asked(clock: HeldClock, tmp_path: Path) -> None:
    options = replace(NO_LIMITS, lacking_roles=frozenset({"getTransactions"}))
    with serve(clock, options, orders=5) as serving:
        run = check(clock, serving.config(), tmp_path)
    assert run.status == 1
    printed = line(run, "getTransactions")
    assert printed.startswith("was refused: HTTP 403 Unauthorized")
    assert "lacks the role 'Business Purchase Reconciliation'" in printed
    assert sum(": ok" in row for row in lines(run)) == len(lines(run)) - 1


def test_a_wrong_region_is_reported_with_its_setting(clock: HeldClock, tmp_path: Path) -> None:
    faults = [Refuses(operation, refusal(403, "Unauthorized")) for operation in OPERATIONS[:4]]
    with serve(clock, orders=5, faults=faults) as serving:
        run = check(clock, serving.config(sp_api_region="EU"), tmp_path)
    assert run.status == 1
    assert "than sp_api_region says" in line(run, "getPurchaseOrders")
    assert "getPurchaseOrders (EU): was refused" in run.output
    assert "getTransactions (US, CA): ok" in run.output


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Reply(503), "did not work: HTTP 503"),
        (refusal(429, "QuotaExceeded"), "Another program probably uses the same account"),
        (refusal(400, "InvalidInput"), "was refused: HTTP 400 InvalidInput"),
        (NOT_FOUND, "was refused: HTTP 404 NotFound"),
        (Reply(200, body=b"<html>"), "did not work: HTTP 200"),
    ],
    ids=["down", "429", "400", "404", "no JSON"],
)
def test_an_operation_that_fails_is_asked_once_and_printed(
    clock: HeldClock, tmp_path: Path, fault: Fault, expected: str
) -> None:
    failing = Refuses("getPurchaseOrdersStatus", fault)
    with serve(clock, orders=5, faults=[failing]) as serving:
        run = check(clock, serving.config(), tmp_path)
    assert run.status == 1
    assert expected in line(run, "getPurchaseOrdersStatus")
    assert len(failing.met) == 1
    assert sum(": ok" in row for row in lines(run)) == len(lines(run)) - 1


def test_a_host_that_refuses_connections_is_reported_for_each_operation(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    with closed_port() as address:
        run = check(clock, serving.config(sp_api_url=f"http://{address}"), tmp_path)
    assert run.status == 1
    refused = [row for row in lines(run) if "refused the connection" in row]
    assert len(refused) == 4
    assert all("sp_api_url" in row for row in refused)
    assert TRANSACTIONS in lines(run)


def test_a_host_that_hangs_is_not_waited_for(clock: HeldClock, tmp_path: Path) -> None:
    faults = [Refuses("getTransactions", Overdue(clock))]
    with serve(clock, orders=5, faults=faults) as serving:
        config = serving.config(**BUSINESS_ONLY)
        run = check(clock, config, tmp_path, catalog=select("transactions"))
    assert run.status == 1
    assert line(run, "getTransactions") == (
        "no answer within 7 s. Check network, proxy and business_api_url, or try again later."
    )


def test_a_login_with_amazon_that_hangs_is_not_waited_for(clock: HeldClock, tmp_path: Path) -> None:
    with serve(clock, orders=5, faults=[Refuses("token", Overdue(clock))]) as serving:
        run = check(clock, serving.config(**VENDOR_ONLY), tmp_path)
        calls = serving.stats().calls
    assert run.status == 1
    assert lines(run)[0] == (
        "Login with Amazon (sp_api): no answer within 7 s. Check network, proxy and lwa_url, or "
        "try again later."
    )
    assert not calls


def test_a_login_with_amazon_that_is_down_is_asked_once(clock: HeldClock, tmp_path: Path) -> None:
    failing = Refuses("token", Reply(503))
    with serve(clock, orders=5, faults=[failing]) as serving:
        run = check(clock, serving.config(**VENDOR_ONLY), tmp_path)
    assert run.status == 1
    assert "issued no access token for sp_api_* in one attempt: HTTP 503" in lines(run)[0].replace(
        serving.url, ""
    ).replace("  ", " ")
    assert len(failing.met) == 1


def test_a_token_that_is_refused_once_is_renewed(
    clock: HeldClock, serving: Simulator, tmp_path: Path
) -> None:
    serving.fail_next("getTransactions", refusal(403, "Unauthorized"), Served())
    run = check(clock, serving.config(), tmp_path)
    assert run.status == 0


# ---- vendors without shipments -------------------------------------------------------------------

NO_SHIPMENTS = replace(NO_LIMITS, no_shipments=True)
REMARK = "ok, 10 requests/s, data back to 2025-12-04, this account has no shipments in the API"


@pytest.mark.parametrize("selected", [None, "vendor_shipments"], ids=["all", "shipments alone"])
def test_a_vendor_without_shipments_is_ok(
    clock: HeldClock, tmp_path: Path, selected: str | None
) -> None:
    with serve(clock, NO_SHIPMENTS, orders=5) as serving:
        catalog = select(selected) if selected else None
        run = check(clock, serving.config(), tmp_path, catalog=catalog)
    assert run.status == 0
    assert line(run, "GetShipmentDetails") == REMARK


@pytest.mark.parametrize("selected", [None, "vendor_shipments"], ids=["all", "shipments alone"])
def test_no_shipments_are_an_error_where_nothing_else_answers(
    clock: HeldClock, tmp_path: Path, selected: str | None
) -> None:
    faults = [Refuses(operation, NOT_FOUND) for operation in OPERATIONS[:3]]
    with serve(clock, NO_SHIPMENTS, orders=5, faults=faults) as serving:
        catalog = select(selected) if selected else None
        run = check(clock, serving.config(), tmp_path, catalog=catalog)
    assert run.status == 1
    assert line(run, "GetShipmentDetails").startswith("was refused: HTTP 404 ResourceNotFound")


# ---- Amazon's sandbox ----------------------------------------------------------------------------


def test_the_sandbox_is_asked_for_its_examples(clock: HeldClock, tmp_path: Path) -> None:
    with serve(clock, Options(sandbox=True), orders=5) as serving:
        run = check(clock, serving.config(sandbox=True), tmp_path)
        calls = [call.operation for call in serving.stats().calls]
    assert run.status == 0
    assert sorted(calls) == sorted(EXAMPLES.keys() & {*OPERATIONS})
    assert lines(run)[:2] == SIGNED_IN
    asked = [row for row in lines(run)[2:] if "skipped" not in row]
    assert {row.partition("): ")[2] for row in asked} == {
        f"ok, {rate} requests/s, Amazon's example" for rate in ("10", "0.5", "2")
    }


def test_without_the_setting_the_sandbox_refuses(clock: HeldClock, tmp_path: Path) -> None:
    with serve(clock, Options(sandbox=True), orders=5) as serving:
        run = check(clock, serving.config(), tmp_path)
    assert run.status == 1
    assert lines(run)[:2] == SIGNED_IN
    assert not [row for row in lines(run)[2:] if ": ok" in row]


# ---- the program ---------------------------------------------------------------------------------


def test_prints_nothing_but_the_lines(tidy: Simulator, tmp_path: Path) -> None:
    run = run_tap(tidy.config(), tmp_path, "--test")
    assert run.status == 0, run.log
    assert len(lines(run)) == 2 + len([*VENDOR, *REPORTS, TRANSACTIONS])
    assert all(": ok" in row for row in lines(run))
    assert not re.search("METRIC|unhandled|Traceback|ERROR|WARNING", run.log)


def test_a_failure_leaves_no_traceback(tidy: Simulator, tmp_path: Path) -> None:
    config = tidy.config(sp_api_client_secret=WRONG, business_api_refresh_token=WRONG)
    run = run_tap(config, tmp_path, "--test")
    assert run.status == 1
    assert len(lines(run)) == 4
    assert not re.search("METRIC|unhandled|Traceback", run.log)
