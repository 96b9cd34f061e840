"""The models of dbt/ where something is missing or odd, on tables made by hand in DuckDB."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.dbt.process import Dbt, dbt_process
from tools import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.end_to_end

# Without the tests that compare with models that are not built.
CAUTIOUS = ("--indirect-selection", "cautious")

ORDER: dict[str, Any] = {
    "purchaseOrderNumber": "P1",
    "purchaseOrderState": "Acknowledged",
    "items": [
        {
            "itemSequenceNumber": "00001",
            "orderedQuantity": {"amount": 2, "unitOfMeasure": "CASES", "unitSize": 6},
            "netCost": {"amount": "19.8", "currencyCode": "EUR"},
        }
    ],
    "_sdc_batched_at": "2026-06-01T00:00:00",
}
BUSINESS: dict[str, Any] = {
    "orderId": "A",
    "orderStatus": "CLOSED",
    "charges": [
        {"type": "SUBTOTAL", "amount": {"amount": "10.10", "currencyCode": "EUR"}},
        {"type": "PROMOTION", "amount": {"amount": "1.01", "currencyCode": "EUR"}},
    ],
    "businessOrderInfo": {"Kosten.stelle 'x'": "CC-1"},
}


def _eaches(amount: int) -> dict[str, Any]:
    return {"amount": amount, "unitOfMeasure": "Eaches", "unitSize": 1}


# As in recorded replies: 23 of 23 accepted although 12 were and 11 were cancelled later, the latest
# change first, a date with milliseconds.
RECORDED: dict[str, Any] = {
    "purchaseOrderNumber": "P1",
    "purchaseOrderStatus": "OPEN",
    "itemStatus": [
        {
            "itemSequenceNumber": "1",
            "orderedQuantity": {
                "orderedQuantity": _eaches(12),
                "orderedQuantityDetails": [
                    {
                        "updatedDate": "2026-06-03T00:00:00Z",
                        "orderedQuantity": _eaches(12),
                        "cancelledQuantity": _eaches(11),
                    },
                    {"updatedDate": "2026-06-01T00:00:00Z", "orderedQuantity": _eaches(23)},
                ],
            },
            "acknowledgementStatus": {
                "confirmationStatus": "ACCEPTED",
                "acceptedQuantity": _eaches(23),
                "acknowledgementStatusDetails": [
                    {"acceptedQuantity": _eaches(4)},
                    {"acceptedQuantity": _eaches(8), "rejectedQuantity": _eaches(0)},
                ],
            },
            "receivingStatus": {
                "receiveStatus": "PARTIALLY_RECEIVED",
                "receivedQuantity": {"amount": 1, "unitOfMeasure": "Cases", "unitSize": 5},
                "lastReceiveDate": "2026-06-05T01:02:03.456Z",
            },
        }
    ],
}


class Warehouse:
    """A file of DuckDB's with a row in some tables, and dbt on it.

    Args:
        folder: Where the file is.
        parsed: Where dbt keeps what it parsed, in a folder for each set of variables.
        dbt: What runs its commands.
    """

    def __init__(self, folder: Path, parsed: Path, dbt: Dbt) -> None:
        self._parsed = parsed
        self._dbt = dbt
        self._path = str(folder / "warehouse.duckdb")

    def copy(self, other: Warehouse) -> None:
        """Become what another one is."""
        shutil.copy(other._path, self._path)

    def load(self, table: str, *rows: dict[str, Any]) -> None:
        """Make a table of rows, with the columns that target-duckdb gives it.

        The columns are those of the first row.
        """
        columns = []
        for name, value in rows[0].items():
            nested = isinstance(value, dict | list)
            kind = "timestamp" if name == "_sdc_batched_at" else "varchar"
            columns.append(f'"{name.lower()}" {"json" if nested else kind}')
        with duckdb.connect(self._path) as connection:
            connection.execute("create schema if not exists amazon")
            connection.execute(f"create or replace table amazon.{table} ({', '.join(columns)})")
            places = ", ".join("?" for _ in columns)
            for row in rows:
                values = [
                    json.dumps(value) if isinstance(value, dict | list) else value
                    for value in row.values()
                ]
                connection.execute(f"insert into amazon.{table} values ({places})", values)  # noqa: S608

    def dbt(self, command: str, *options: str, fails: bool = False, **variables: Any) -> str:
        """Run a command of dbt, and return what it printed."""
        path = Path(self._path)
        return self._dbt.run(
            *command.split(),
            *options,
            "--vars",
            json.dumps(variables),
            folder=path.parent,
            parsed=self._parsed / ("-".join(sorted(variables)) or "default"),
            environment={"TARGET_DUCKDB_PATH": path.name},
            fails=fails,
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with duckdb.connect(self._path, read_only=True) as connection:
            return connection.execute(sql).fetchall()


@dataclass(frozen=True)
class Built:
    """A vendor's warehouse after `dbt build`, and what that printed."""

    warehouse: Warehouse
    log: str


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parsed")


@pytest.fixture(scope="module")
def dbt() -> Iterator[Dbt]:
    with dbt_process() as process:
        yield process


@pytest.fixture
def warehouse(tmp_path: Path, parsed: Path, dbt: Dbt) -> Warehouse:
    return Warehouse(tmp_path, parsed, dbt)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, parsed: Path, dbt: Dbt) -> Built:
    warehouse = Warehouse(tmp_path_factory.mktemp("vendor"), parsed, dbt)
    warehouse.load("purchase_orders", ORDER)
    warehouse.load("purchase_order_statuses", RECORDED)
    return Built(warehouse, warehouse.dbt("build"))


def test_quantities_of_recorded_rows_are_understood(built: Built) -> None:
    names = (
        "ordered_first, ordered_now, cancelled_quantity, confirmed_quantity, received_quantity, "
        "open_quantity, unit_of_measure, cast(net_cost as varchar), cast(open_value as varchar), "
        "cast(last_received_at as varchar)"
    )
    assert built.warehouse.query(f"select {names} from analytics.purchase_order_lines") == [  # noqa: S608
        (23, 12, 11, 12, 5, 7, "CASES", "19.800000000", "138.600000000", "2026-06-05 01:02:03.456")
    ]


def test_a_missing_side_is_empty_and_logged(built: Built) -> None:
    assert "No table orders: order_spend has only orders that name a purchase order" in built.log
    assert built.warehouse.query("select * from analytics.order_spend") == []


@pytest.mark.parametrize(
    "case",
    [
        "order_spend::an_order_of_several_numbers_counts_once",
        "purchase_order_lines::days_late_count_from_the_end_of_the_window",
        "purchase_reconciliation::each_kind_of_mismatch_is_named",
        "vendor_scorecard::rates_are_what_the_trade_calls_them",
    ],
)
def test_a_definition_holds_in_small_cases(built: Built, case: str) -> None:
    assert f"PASS {case}" in built.log


def test_items_come_from_their_own_streams_where_arrays_are_not_selected(
    built: Built, warehouse: Warehouse
) -> None:
    (item,) = RECORDED["itemStatus"]
    shipped = {"shippedQuantity": {"amount": 2, "unitOfMeasure": "Cases", "unitSize": 6}}
    warehouse.load("purchase_order_statuses", {"purchaseOrderNumber": "P1"})
    warehouse.load("purchase_order_status_items", {"purchaseOrderNumber": "P1", **item})
    warehouse.load(
        "vendor_shipment_items",
        {
            "vendorShipmentIdentifier": "S1",
            "purchaseOrderNumber": "P1",
            "itemSequenceNumber": "001",
            **shipped,
        },
    )
    items = ("stg_amazon__purchase_order_status_items", "stg_amazon__vendor_shipment_items")
    warehouse.dbt("run", "--select", *items)
    status = "select * exclude (loaded_at) from analytics.stg_amazon__purchase_order_status_items"
    assert warehouse.query(status) == built.warehouse.query(status)
    assert warehouse.query(
        "select purchase_order_number, line_number, shipped_quantity "
        "from analytics.stg_amazon__vendor_shipment_items"
    ) == [("P1", "1", 12)]


def test_an_order_that_is_loaded_again_replaces_its_items(
    built: Built, warehouse: Warehouse
) -> None:
    warehouse.copy(built.warehouse)
    items = [{"itemSequenceNumber": str(number)} for number in (2, 3)]
    later = {"items": items, "_sdc_batched_at": "2026-06-02T00:00:00"}
    warehouse.load("purchase_orders", ORDER | later)
    warehouse.dbt("run", "--select", "stg_amazon__purchase_order_items")
    lines = "select line_number from analytics.stg_amazon__purchase_order_items order by 1"
    assert warehouse.query(lines) == [("2",), ("3",)]


def test_a_schema_without_tables_is_an_error(warehouse: Warehouse) -> None:
    log = warehouse.dbt("run", fails=True)
    assert "No table of tap-amazon-business in schema amazon of database warehouse" in log


def test_the_age_of_tables_is_shown(built: Built) -> None:
    log = built.warehouse.dbt("source freshness", "--select", "source:*.purchase_orders")
    assert "WARN freshness of amazon_business.purchase_orders" in log


def test_one_side_and_fields_of_the_account_by_variables(warehouse: Warehouse) -> None:
    warehouse.load("orders", BUSINESS)
    info = {"kostenstelle": "Kosten.stelle 'x'", "project": "Project"}
    warehouse.dbt("run", vendor_streams=False, business_order_info=info)
    found = warehouse.query(
        "select kostenstelle, project, currency, cast(subtotal as varchar), "
        "cast(net_amount as varchar) from analytics.spend_by_month"
    )
    assert found == [("CC-1", None, "EUR", "10.100000000", "9.090000000")]
    tables = {name for (name,) in warehouse.query("select table_name from duckdb_tables()")}
    assert "purchase_order_lines" not in tables
    assert "purchase_reconciliation" in tables


# ---- values that are odd, and loads that are incomplete ------------------------------------------


def test_an_odd_value_is_a_warning_and_stops_no_model(warehouse: Warehouse) -> None:
    item = {
        "itemSequenceNumber": "1",
        "orderedQuantity": {"orderedQuantity": _eaches(10)},
        "receivingStatus": {"receiveStatus": "PARTIALLY_RECEIVED", "receivedQuantity": _eaches(-3)},
    }
    warehouse.load("purchase_orders", {"purchaseOrderNumber": "P1"})
    warehouse.load("purchase_order_statuses", {"purchaseOrderNumber": "P1", "itemStatus": [item]})
    log = warehouse.dbt("build", *CAUTIOUS, "--select", "+open_purchase_orders")
    assert re.search(r"WARN 1 accepted_range_purchase_order_lines_\S*received_quantity", log)
    assert " SKIP=0 " in log
    lines = "select received_quantity, open_quantity from analytics.purchase_order_lines"
    assert warehouse.query(lines) == [(-3, 10)]
    assert warehouse.query("select open_quantity from analytics.open_purchase_orders") == [(10,)]


def test_items_without_their_orders_have_no_open_quantity(warehouse: Warehouse) -> None:
    warehouse.load("purchase_order_items", {"purchaseOrderNumber": "P1", **ORDER["items"][0]})
    (item,) = RECORDED["itemStatus"]
    warehouse.load("purchase_order_status_items", {"purchaseOrderNumber": "P1", **item})
    log = warehouse.dbt("build", *CAUTIOUS, "--select", "+open_purchase_orders")
    assert "Select the stream purchase_orders or purchase_order_statuses" in log
    assert "WARN 1 not_null_purchase_order_lines_open_quantity" in log
    lines = "select ordered_now, received_quantity, open_quantity, is_closed "
    assert warehouse.query(lines + "from analytics.purchase_order_lines") == [(12, 5, None, None)]
    assert warehouse.query("select * from analytics.open_purchase_orders") == []


FLAT_ORDER = {
    "orderId": "A",
    "orderStatus": "CLOSED",
    "approverDetails__lastOrderApproverCustomer__email": "ada@buyer.example",
    "charges": json.dumps(BUSINESS["charges"]),
    "businessOrderInfo": json.dumps({"Cost center": "CC-7"}),
}


def test_flattened_columns_hold_the_same_fields(warehouse: Warehouse) -> None:
    warehouse.load("orders", FLAT_ORDER)
    line = {"orderId": "A", "orderLineItemId": "L", "quantity": "3"}
    warehouse.load(
        "order_line_items",
        {**line, "unitPrice__amount": "2.50", "unitPrice__currencyCode": "EUR"},
    )
    warehouse.load(
        "purchase_order_items",
        {
            "purchaseOrderNumber": "P1",
            "itemSequenceNumber": "1",
            "orderedQuantity__amount": "2",
            "orderedQuantity__unitOfMeasure": "Cases",
            "orderedQuantity__unitSize": "6",
            "netCost": json.dumps({"amount": "19.80", "currencyCode": "EUR"}),
        },
    )
    marts = ("+order_spend", "+purchase_reconciliation", "+purchase_order_lines")
    log = warehouse.dbt("run", "--select", *marts)
    assert "flattened without its column" not in log
    spend = "select approver, cost_centre, cast(net_amount as varchar) from analytics.order_spend"
    assert warehouse.query(spend) == [("ada@buyer.example", "CC-7", "9.090000000")]
    ordered = "select currency, cast(ordered_amount as varchar) from "
    assert warehouse.query(ordered + "analytics.purchase_reconciliation") == [
        ("EUR", "7.500000000")
    ]
    items = "select ordered_now, currency, cast(net_cost as varchar) from "
    assert warehouse.query(items + "analytics.purchase_order_lines") == [
        (12, "EUR", "19.800000000")
    ]


def test_a_flattened_table_without_business_order_info_is_named(warehouse: Warehouse) -> None:
    row = {name: value for name, value in FLAT_ORDER.items() if name != "businessOrderInfo"}
    warehouse.load("orders", row)
    log = warehouse.dbt("run", "--select", "stg_amazon__orders")
    assert "Table orders was flattened without its column businessOrderInfo" in log
    assert "flattening_enabled" in log


def test_another_separator_is_refused_until_it_is_named(warehouse: Warehouse) -> None:
    line = {"orderId": "A", "orderLineItemId": "L", "quantity": "3"}
    price = {"unitPrice.amount": "2.50", "unitPrice.currencyCode": "EUR"}
    warehouse.load("order_line_items", line | price)
    options = ("run", "--select", "stg_amazon__order_line_items")
    log = warehouse.dbt(*options, fails=True)
    assert "set the variable flattening_separator" in log
    warehouse.dbt(*options, flattening_separator=".")
    read = "select cast(unit_price as varchar) from analytics.stg_amazon__order_line_items"
    assert warehouse.query(read) == [("2.500000000",)]


# ---- Amazon Business -----------------------------------------------------------------------------


def _money(amount: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def _transaction(
    number: str, kind: str, amount: str, *, quantity: int = 1, names: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return a transaction of an order's only line."""
    return {
        "transactionId": number,
        "transactionType": kind,
        "transactionDate": "2026-05-01T00:00:00Z",
        "associatedTransactionDetails": [{"associatedTransactionId": name} for name in names],
        "transactionLineItems": [
            {
                "orderLineItemId": "L",
                "itemQuantity": quantity,
                "totalAmount": _money(amount),
                "refundReason": "CUSTOMER_RETURN" if kind == "REFUND" else None,
                "shipmentId": "S",
            }
        ],
    }


SPLIT = (
    _transaction("b1", "CHARGE", "14.29", names=("b2",)),
    _transaction("b2", "CHARGE", "5.00", names=("b1",)),
)
# Orders of one line each, of which as many pieces were shipped as `pieces`.
PAYMENTS: dict[str, tuple[int, tuple[dict[str, Any], ...]]] = {
    "split": (1, SPLIT),
    "split, named in part": (
        1,
        (
            _transaction("c1", "CHARGE", "10.00"),
            _transaction("c2", "CHARGE", "5.00", names=("c3",)),
            _transaction("c3", "CHARGE", "4.29", names=("c1",)),
        ),
    ),
    "two charges": (
        2,
        (
            _transaction("d1", "CHARGE", "19.29"),
            _transaction("d2", "CHARGE", "19.29", names=("d0",)),
        ),
    ),
    "authorised": (
        1,
        (
            _transaction("e0", "CHARGE", "0.00", names=("e1",)),
            _transaction("e1", "CHARGE", "19.29", names=("e0",)),
        ),
    ),
    "refunded": (1, (*SPLIT, _transaction("f1", "REFUND", "-19.29", names=("b1",)))),
    "refunded, other sign": (1, (*SPLIT, _transaction("g1", "REFUND", "19.29", names=("b1",)))),
}


@pytest.fixture(scope="module")
def reconciled(tmp_path_factory: pytest.TempPathFactory, parsed: Path, dbt: Dbt) -> Warehouse:
    """Return a warehouse with the orders of `PAYMENTS`."""
    warehouse = Warehouse(tmp_path_factory.mktemp("payments"), parsed, dbt)
    lines, shipped, transactions = [], [], []
    for order, (pieces, charges) in PAYMENTS.items():
        line = {"orderId": order, "orderLineItemId": "L", "quantity": str(pieces)}
        lines.append(line | {"unitPrice": _money("19.29")})
        shipped.append(line | {"shipmentId": "S", "shipmentDate": "2026-05-01T00:00:00Z"})
        for charge in charges:
            (item,) = charge["transactionLineItems"]
            row = charge | {"transactionId": f"{order} {charge['transactionId']}"}
            row["associatedTransactionDetails"] = [
                {"associatedTransactionId": f"{order} {one['associatedTransactionId']}"}
                for one in charge["associatedTransactionDetails"]
            ]
            transactions.append(row | {"transactionLineItems": [item | {"orderId": order}]})
    warehouse.load("order_line_items", *lines)
    warehouse.load("shipment_line_items", *shipped)
    warehouse.load("transactions", *transactions)
    warehouse.dbt("run", "--select", "+purchase_reconciliation")
    return warehouse


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("split", (1, "19.290000000", "0.000000000", 2)),
        ("split, named in part", (1, "19.290000000", "0.000000000", 3)),
        ("two charges", (2, "38.580000000", "0.000000000", 2)),
        ("authorised", (1, "19.290000000", "0.000000000", 1)),
        ("refunded", (1, "19.290000000", "19.290000000", 3)),
        ("refunded, other sign", (1, "19.290000000", "19.290000000", 3)),
    ],
)
def test_a_payment_counts_its_quantity_once(
    order: str, expected: tuple[Any, ...], reconciled: Warehouse
) -> None:
    found = reconciled.query(
        "select order_id, charged_quantity, charged_amount::varchar, refunded_amount::varchar, "
        "transactions, mismatch, agreement from analytics.purchase_reconciliation"
    )
    assert (order, *expected, None, "agrees") in found


def test_a_number_in_any_case_is_that_of_the_purchase_order(warehouse: Warehouse) -> None:
    warehouse.load("purchase_orders", ORDER | {"purchaseOrderNumber": "Po1"})
    reports = [
        BUSINESS | {"orderId": order, "purchaseOrderNumber": number}
        for order, number in (("A", " pO1 "), ("B", "Po1"), ("C", "REF 1"), ("D", "ref 1 "))
    ]
    warehouse.load("order_reports", *reports)
    warehouse.dbt("run", "--select", "+spend_by_purchase_order", "+order_report_matches")
    assert warehouse.query(
        "select names, order_reports from analytics.order_report_matches order by 1"
    ) == [("a purchase order of the account", 2), ("no purchase order of the account", 2)]
    spend = (
        "select purchase_order_number, is_purchase_order, orders, cast(net_amount as varchar) "
        "from analytics.spend_by_purchase_order order by 1"
    )
    assert warehouse.query(spend) == [
        ("Po1", True, 2, "18.180000000"),
        ("REF 1", False, 2, "18.180000000"),
    ]


def test_net_amount_is_what_was_spent_and_in_one_currency(warehouse: Warehouse) -> None:
    dollars = {"type": "TAX", "amount": {"amount": "1.00", "currencyCode": "USD"}}
    orders = [BUSINESS | {"orderId": "A"}, BUSINESS | {"orderId": "B", "orderStatus": "CANCELLED"}]
    mixed = BUSINESS | {"orderId": "C", "charges": [*BUSINESS["charges"], dollars]}
    warehouse.load("orders", *orders, mixed)
    log = warehouse.dbt("build", *CAUTIOUS, "--select", "+order_spend")
    assert "WARN 1 accepted_range_order_spend_0__1__currencies" in log
    spend = "select order_id, order_amount::varchar, net_amount::varchar from analytics.order_spend"
    assert warehouse.query(spend + " order by 1") == [
        ("A", "9.090000000", "9.090000000"),
        ("B", "9.090000000", "0.000000000"),
        ("C", None, None),
    ]


def test_the_documentation_names_the_streams_of_each_model(built: Built, parsed: Path) -> None:
    del built  # it has left its manifest there
    nodes = json.loads((parsed / "default/manifest.json").read_text(encoding="utf-8"))["nodes"]

    def streams(name: str) -> set[str]:
        if name.startswith("source."):
            return {name.rpartition(".")[2]}
        return {one for parent in nodes[name]["depends_on"]["nodes"] for one in streams(parent)}

    page = (PROJECT / "docs/analytics.md").read_text(encoding="utf-8")
    table = page.partition("| model | needs |")[2].partition("\n\n")[0]
    listed: dict[str, set[str]] = {}
    models, previous = [""], ""
    for row in table.splitlines()[2:]:
        model, needed, used, _ = (re.findall("`([^`]+)`", cell) for cell in row.split("|")[1:5])
        models = model or models
        same = listed[previous] if "the same" in row.split("|")[3] else set()
        for name in models:
            listed.setdefault(name, set()).update(needed, used, same)
        previous = models[0]
    marts = {
        node["name"]: streams(key)
        for key, node in nodes.items()
        if node["resource_type"] == "model" and "marts" in node["fqn"]
    }
    assert listed == {name: found for name, found in marts.items() if found}
