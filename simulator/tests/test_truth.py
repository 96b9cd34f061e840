"""The truth: all that a complete sync returns, by the simulator."""

from decimal import Decimal

from simulator.tests.support import Simulators

STREAMS = {
    *("purchase_orders", "purchase_order_items", "purchase_order_statuses", "vendor_shipments"),
    *("purchase_order_status_items", "vendor_shipment_items", "invoices", "invoice_payments"),
    *("order_reports", "orders", "order_line_items", "shipments", "shipment_line_items"),
    "transactions",
}


def test_counts_the_rows_of_every_stream(simulators: Simulators) -> None:
    shown = simulators.start().control("GET", "truth").json()["rows"]
    assert shown.keys() >= STREAMS
    assert all(shown.values())


def test_counts_as_many_rows_as_it_returns(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=60))
    shown = client.control("GET", "truth").json()["rows"]
    assert shown == {stream: len(client.simulator.rows(stream)) for stream in shown}
    assert shown["purchase_orders"] == 60


def test_counts_the_rows_that_a_change_adds(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=60))
    client.simulator.world.change(new=10)
    shown = client.control("GET", "truth").json()["rows"]
    assert shown == {stream: len(client.simulator.rows(stream)) for stream in shown}
    assert (shown["purchase_orders"], shown["purchase_order_statuses"]) == (70, 70)


def test_sums_money_exactly(simulators: Simulators) -> None:
    client = simulators.start(simulators.world(orders=100, quirks=True))
    shown = client.control("GET", "truth").json()["money"]
    orders = client.simulator.world.purchase_orders().values()
    assert Decimal(shown["purchase_order_items.netCost"]) == sum(
        Decimal(item["netCost"]["amount"])
        for row in orders
        for item in row["orderDetails"]["items"]
    )
