"""Responses of odd shapes, and what the log shows of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simulator import Options, Reply, Simulator, World
from tests.support.runs import run_tap, select

if TYPE_CHECKING:
    from pathlib import Path


def test_no_log_line_shows_a_purchase_order_number_that_is_an_e_mail_address(
    tmp_path: Path,
) -> None:
    number = {"purchaseOrderNumber": "zoe@elsewhere.example", "orderDetails": {}}
    reply = Reply(200, body=json.dumps({"payload": {"orders": [number]}}).encode())
    with Simulator(World(orders=0, quirks=False), Options(limits=False)) as serving:
        serving.fail_next("getPurchaseOrders", reply)
        run = run_tap(
            serving.config(order_reports_strategy="purchase_order"),
            tmp_path,
            catalog=select("purchase_orders", "order_reports"),
        )  # searches the log at level DEBUG
    assert run.status == 0
    assert run.numbers() == {"zoe@elsewhere.example": 1}
