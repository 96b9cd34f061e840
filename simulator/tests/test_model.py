"""Replies from the sandbox cases of Amazon's swagger files."""

import json
from pathlib import Path

from simulator import Options
from simulator.tests.support import ORDERS, Simulators, days_ago, error_of, window

MODEL = {
    "paths": {
        ORDERS: {
            "get": {
                "operationId": "getPurchaseOrders",
                "responses": {
                    "200": {
                        "x-amzn-api-sandbox": {
                            "static": [
                                {
                                    "request": {
                                        "parameters": {
                                            "createdAfter": {"value": "2019-08-20T14:00:00"},
                                            "limit": {"value": 2},
                                        }
                                    },
                                    "response": {
                                        "payload": {
                                            "pagination": {"nextToken": "T=="},
                                            "orders": [{"purchaseOrderNumber": "FIRST"}],
                                        }
                                    },
                                },
                                {
                                    "request": {
                                        "parameters": {
                                            "createdAfter": {"value": "2019-08-20T14:00:00"},
                                            "nextToken": {"value": "T=="},
                                        }
                                    },
                                    "response": {
                                        "payload": {"orders": [{"purchaseOrderNumber": "SECOND"}]}
                                    },
                                },
                                {
                                    "request": {
                                        "parameters": {"changedAfter": {"value": "2020-05-25"}}
                                    },
                                    "response": {
                                        "payload": {
                                            "pagination": {"nextToken": "NOWHERE"},
                                            "orders": [{"purchaseOrderNumber": "CHANGED"}],
                                        }
                                    },
                                },
                            ]
                        }
                    }
                },
            }
        },
        ORDERS + "/{purchaseOrderNumber}": {
            "get": {
                "operationId": "getPurchaseOrder",
                "responses": {
                    "200": {
                        "x-amzn-api-sandbox": {
                            "static": [
                                {
                                    "request": {
                                        "parameters": {"purchaseOrderNumber": {"value": "ONE"}}
                                    },
                                    "response": {"payload": {"purchaseOrderNumber": "ONE"}},
                                }
                            ]
                        }
                    }
                },
            }
        },
    }
}


def test_replays_sandbox_cases_by_kind_of_request(simulators: Simulators, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text(json.dumps(MODEL), encoding="utf-8")
    client = simulators.start(options=Options(model=model))
    created = client.orders(**window(days_ago(900), days_ago(3)), limit=100)
    changed = client.orders(**window(days_ago(5), days_ago(3), "changed"))
    assert [row["purchaseOrderNumber"] for row in created] == ["FIRST", "SECOND"]
    assert [row["purchaseOrderNumber"] for row in changed] == ["CHANGED"]
    assert client.get(f"{ORDERS}/ONE").json() == {"payload": {"purchaseOrderNumber": "ONE"}}
    assert error_of(client.get(f"{ORDERS}/TWO")) == (404, "NotFound")
    assert error_of(client.get(ORDERS, nextToken="other")) == (400, "InvalidInput")
