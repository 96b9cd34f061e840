"""The models of dbt/ where something is missing or odd, on tables made by hand in DuckDB."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.dbt import run_dbt

pytestmark = pytest.mark.end_to_end

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
        parsed: Where dbt keeps what it parsed; it parses again where variables differ.
    """

    def __init__(self, folder: Path, parsed: Path) -> None:
        self._parsed = parsed
        self._path = str(folder / "warehouse.duckdb")

    def copy(self, other: Warehouse) -> None:
        """Become what another one is."""
        shutil.copy(other._path, self._path)

    def load(self, table: str, row: dict[str, Any]) -> None:
        """Make a table of one row, with the columns that target-duckdb gives it."""
        columns, values = [], []
        for name, value in row.items():
            nested = isinstance(value, dict | list)
            kind = "timestamp" if name == "_sdc_batched_at" else "varchar"
            columns.append(f"{name.lower()} {'json' if nested else kind}")
            values.append(json.dumps(value) if nested else value)
        with duckdb.connect(self._path) as connection:
            connection.execute("create schema if not exists amazon")
            connection.execute(f"create or replace table amazon.{table} ({', '.join(columns)})")
            places = ", ".join("?" for _ in values)
            connection.execute(f"insert into amazon.{table} values ({places})", values)  # noqa: S608

    def dbt(self, command: str, *options: str, fails: bool = False, **variables: Any) -> str:
        """Run a command of dbt, and return what it printed."""
        arguments = (*command.split(), *options)
        return run_dbt(Path(self._path), self._parsed, *arguments, fails=fails, **variables)

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


@pytest.fixture
def warehouse(tmp_path: Path, parsed: Path) -> Warehouse:
    return Warehouse(tmp_path, parsed)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> Built:
    warehouse = Warehouse(tmp_path_factory.mktemp("vendor"), parsed)
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


def test_a_missing_side_is_empty_and_told(built: Built) -> None:
    assert "No table orders: what is made of it has no rows." in built.log
    assert built.warehouse.query("select * from analytics.order_spend") == []


@pytest.mark.parametrize(
    "case",
    [
        "order_spend::an_order_of_several_numbers_counts_once",
        "purchase_order_lines::days_late_count_from_the_end_of_the_window",
        "purchase_reconciliation::each_kind_of_mismatch_is_told",
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


def test_the_age_of_tables_is_told(built: Built) -> None:
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
