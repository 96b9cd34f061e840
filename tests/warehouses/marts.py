"""Tables of the models of dbt/, compared with the rows of the simulator."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from report.questions import HEADLINES, QUESTIONS
from simulator.truth import rows, truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator import World
    from tests.warehouses.suite import Synced

CHARGES = {
    "SUBTOTAL": "subtotal",
    "SHIPPING_AND_HANDLING": "shipping",
    "PROMOTION": "promotion",
    "TAX": "tax",
    "NET_TOTAL": "net_total",
}
LINE = (
    *("ordered_first", "ordered_now", "cancelled_quantity", "confirmed_quantity"),
    *("shipped_quantity", "received_quantity", "open_quantity", "net_cost", "ordered_now_value"),
)

# Fields that the tap computes, and the columns of a staging model that say the same.
COMPUTED = {
    "originalQuantity": "ordered_first",
    "currentQuantity": "ordered_now",
    "cancelledQuantity": "cancelled_quantity",
    "acceptedQuantity": "confirmed_quantity",
    "rejectedQuantity": "rejected_quantity",
    "receivedQuantity": "received_quantity",
}


class MartTests:
    """Tests of the marts, for a warehouse that is synced."""

    def test_every_item_is_a_line_with_its_quantities(self, synced: Synced) -> None:
        found = synced.warehouse.query(
            f"select purchase_order_number, line_number, {', '.join(LINE)} "  # noqa: S608
            "from analytics.purchase_order_lines"
        )
        lines = {
            (number, line): dict(zip(LINE, values, strict=True)) for number, line, *values in found
        }
        assert len(lines) == len(found)
        assert lines == expected_lines(synced.world)

    def test_costs_and_charges_sum_to_the_last_digit(self, synced: Synced) -> None:
        money = truth(synced.world)["money"]
        for table, amount, of in (
            ("purchase_order_lines", "net_cost", "purchase_order_items.netCost"),
            ("purchase_order_lines", "list_price", "purchase_order_items.listPrice"),
            (
                "order_spend where purchase_order_number is not null",
                " + ".join(f"coalesce({name}, 0)" for name in CHARGES.values()),
                "order_reports.charges",
            ),
        ):
            total = synced.warehouse.one(f"select sum({amount}) from analytics.{table}")  # noqa: S608
            assert isinstance(total, Decimal)
            assert total == Decimal(money[of])

    def test_every_order_counts_once_with_its_charges_side_by_side(self, synced: Synced) -> None:
        columns = ["order_id", "order_status", "currency", *CHARGES.values(), "order_amount"]
        found = synced.warehouse.query(f"select {', '.join(columns)} from analytics.order_spend")  # noqa: S608
        spend = {number: tuple(values) for number, *values in found}
        assert len(spend) == len(found)
        assert spend == expected_spend(synced.world)

    def test_spend_by_month_and_by_purchase_order_add_up(self, synced: Synced) -> None:
        orders = expected_spend(synced.world)
        by_currency: defaultdict[str | None, Decimal] = defaultdict(Decimal)
        for status, currency, *_, net in orders.values():
            if status not in {"CANCELLED", "PENDING_APPROVAL"}:
                by_currency[currency] += net or 0
        found = synced.warehouse.query(
            "select currency, sum(net_amount) from analytics.spend_by_month group by currency"
        )
        assert {currency: net for currency, net in found if net} == {
            currency: net for currency, net in by_currency.items() if net
        }
        by_number: Counter[str] = Counter(
            number for number, _ in rows(synced.world, "order_reports")
        )
        found = synced.warehouse.query(
            "select purchase_order_number, sum(orders) from analytics.spend_by_purchase_order "
            "group by purchase_order_number"
        )
        assert dict(found) == by_number

    def test_order_line_shipments_and_transactions_stand_side_by_side(self, synced: Synced) -> None:
        names = ("ordered_quantity", "announced_quantity", "charged_amount", "refunded_amount")
        found = synced.warehouse.query(
            f"select order_id, order_line_item_id, {', '.join(names)} "  # noqa: S608
            "from analytics.purchase_reconciliation"
        )
        lines = {(order, line): tuple(values) for order, line, *values in found}
        assert len(lines) == len(found)
        assert lines == expected_reconciliation(synced.world)

    def test_lines_unpaid_past_due_are_those_of_the_payments(self, synced: Synced) -> None:
        found = synced.warehouse.query(
            "select order_id, order_line_item_id, invoices, is_unpaid_past_due "
            "from analytics.purchase_reconciliation where invoices > 0"
        )
        assert {(order, line): (count, unpaid) for order, line, count, unpaid in found} == (
            expected_invoices(synced.world)
        )
        assert {unpaid for *_, unpaid in found} == {True, False}

    def test_computed_quantities_are_those_of_the_models(self, synced: Synced) -> None:
        warehouse = synced.warehouse
        names = ("purchaseOrderNumber", "itemSequenceNumber", *COMPUTED)
        columns = ", ".join(map(warehouse.column, names))
        of_tap = warehouse.query(f"select {columns} from purchase_order_status_items")  # noqa: S608
        of_dbt = warehouse.query(
            f"select purchase_order_number, item_sequence_number, {', '.join(COMPUTED.values())} "  # noqa: S608
            "from analytics.stg_amazon__purchase_order_status_items"
        )
        assert of_tap
        assert sorted(of_tap) == sorted(of_dbt)

    def test_the_scorecard_and_open_orders_count_every_unit(self, synced: Synced) -> None:
        lines = expected_lines(synced.world).values()
        for table, name in (
            ("vendor_scorecard", "ordered_first"),
            ("vendor_scorecard", "confirmed_quantity"),
            ("vendor_scorecard", "received_quantity"),
            ("open_purchase_orders", "open_quantity"),
        ):
            total = synced.warehouse.one(f"select sum({name}) from analytics.{table}")  # noqa: S608
            assert total == sum(line[name] for line in lines)

    def test_the_queries_of_the_report_count_everything_once(self, synced: Synced) -> None:
        found = {
            query.name: synced.warehouse.query(query.sql)
            for query in (*HEADLINES, *(one for question in QUESTIONS for one in question.queries))
        }
        # Nothing has to be late in the next days.
        assert {name for name, answer in found.items() if not answer} <= {"purchase_orders_at_risk"}
        lines = expected_lines(synced.world).values()
        spend = expected_spend(synced.world).values()
        assert sum(row[3] for row in found["open_value_by_age"]) == sum(
            line["open_quantity"] for line in lines
        )
        assert sum(row[2] for row in found["rates_by_week"]) == sum(
            line["ordered_first"] for line in lines
        )
        assert sum(row[4] for row in found["spend_by_month"]) == sum(
            net
            for status, *_, net in spend
            if net and status not in {"CANCELLED", "PENDING_APPROVAL"}
        )
        assert sum(row[2] for row in found["agreement"]) == len(
            expected_reconciliation(synced.world)
        )


def expected_lines(world: World) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what each line of a purchase order must show, by number and line."""
    shipped = _shipped(world)
    orders = rows(world, "purchase_orders")
    found = {}
    for key, status in rows(world, "purchase_order_statuses").items():
        order = orders[key]
        costs = {
            item["itemSequenceNumber"].lstrip("0"): item["netCost"]
            for item in order["orderDetails"]["items"]
        }
        closed = order.get("purchaseOrderState") == "Closed" or (
            status["purchaseOrderStatus"] == "CLOSED"
        )
        for item in status["itemStatus"]:
            line = item["itemSequenceNumber"]
            ordered = item["orderedQuantity"]
            now = ordered["orderedQuantity"]["amount"]
            details = ordered["orderedQuantityDetails"]
            confirmed, rejected = _acknowledged(item.get("acknowledgementStatus") or {})
            receipt = (item.get("receivingStatus") or {}).get("receivedQuantity", {})
            received = receipt.get("amount", 0)
            cost = costs[line]
            net = Decimal(cost["amount"])
            found[key[0], line] = {
                "ordered_first": details[0]["orderedQuantity"]["amount"],
                "ordered_now": now,
                "cancelled_quantity": sum(one["cancelledQuantity"]["amount"] for one in details),
                "confirmed_quantity": confirmed,
                "shipped_quantity": shipped[key[0], line],
                "received_quantity": received,
                "open_quantity": 0 if closed else max(now - rejected - received, 0),
                "net_cost": net,
                "ordered_now_value": None if "unitOfMeasure" in cost else now * net,
            }
    return found


def _acknowledged(status: Mapping[str, Any]) -> tuple[int, int]:
    if details := status.get("acknowledgementStatusDetails"):
        return (
            sum(one["acceptedQuantity"]["amount"] for one in details),
            sum(one["rejectedQuantity"]["amount"] for one in details),
        )
    if not status or status["confirmationStatus"] == "UNCONFIRMED":
        return 0, 0
    return status["acceptedQuantity"]["amount"], status["rejectedQuantity"]["amount"]


def _shipped(world: World) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for shipment in rows(world, "vendor_shipments").values():
        left = shipment["currentShipmentStatus"] == "Shipped" or "shipmentConfirmDate" in shipment
        if shipment["transactionType"] == "Cancel" or not left:
            continue
        for order in shipment["purchaseOrders"]:
            for item in order["items"]:
                line = order["purchaseOrderNumber"], item["itemSequenceNumber"].lstrip("0")
                quantity = item["shippedQuantity"]
                found[line] += quantity["amount"] * quantity["unitSize"]
    return found


def expected_spend(world: World) -> dict[str, tuple[Any, ...]]:
    """Return what each order must show: status, currency, charges by type, and net amount."""
    found = {}
    for (number,), order in rows(world, "orders").items():
        sums, currency, net = _charged(order["charges"])
        found[number] = (order["orderStatus"], currency, *sums, net)
    return found


def _charged(charges: Iterable[Mapping[str, Any]]) -> tuple[list[Any], str | None, Decimal | None]:
    amounts = {one["type"]: Decimal(one["amount"]["amount"]) for one in charges}
    currency = next((one["amount"]["currencyCode"] for one in charges), None)
    net = amounts.get("NET_TOTAL")
    if net is None and amounts:
        net = sum(
            (-abs(amount) if kind == "PROMOTION" else amount for kind, amount in amounts.items()),
            Decimal(0),
        )
    return [amounts.get(kind) for kind in CHARGES], currency, net


def expected_reconciliation(world: World) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return quantity ordered, announced, and amounts charged and refunded of each order line."""
    announced: Counter[tuple[str, str]] = Counter()
    for (order, _, line), row in rows(world, "shipment_line_items").items():
        announced[order, line] += row["quantity"]
    charged: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    refunded: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for transaction in rows(world, "transactions").values():
        for item in transaction["transactionLineItems"]:
            key = str(item["orderId"]), item["orderLineItemId"]
            amount = Decimal(item["totalAmount"]["amount"])
            match transaction.get("transactionType"):
                case "CHARGE":
                    charged[key] += amount
                case "REFUND" | "OVERREFUND":
                    refunded[key] += abs(amount)
    return {
        (order, line): (
            row["quantity"],
            announced[order, line],
            charged[order, line],
            refunded[order, line],
        )
        for (order, line), row in rows(world, "order_line_items").items()
    }


def expected_invoices(world: World) -> dict[tuple[str, str], tuple[int, bool]]:
    """Return how many invoices each order line has, and whether one is unpaid past its due date."""
    now = world.now()
    unpaid = {}
    for (number,), row in rows(world, "invoice_payments").items():
        payment = row["paymentDetails"]
        is_due = datetime.fromisoformat(payment["dueDate"]) < now
        unpaid[number] = is_due and payment["status"] not in {"Closed", "Payment Processing"}
    invoices: defaultdict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for (order, line, _, number), invoice in rows(world, "invoices").items():
        together = (invoice.get("consolidatedInvoiceDetails") or {}).get("invoiceNumber")
        invoices[order, line][number] = unpaid.get(number, unpaid.get(str(together), False))
    return {key: (len(found), any(found.values())) for key, found in invoices.items()}
