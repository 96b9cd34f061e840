"""Amazon's models, in a compact form of our own, with made-up values.

`fields.json` holds the fields of each stream's rows as Amazon sends them: a word is a type (`map`
is an object of arbitrary keys), an object holds fields, a list holds the shape of its elements.

`sandbox.json` holds cases as Amazon's sandbox answers them, by operation. Like Amazon's, they have
the dates of another year, a page token that leads to rows without details, and units of measure
that no list has.

`examples.json` holds what the strict sandbox answers: the parameters of Amazon's examples, and
made-up bodies.
"""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_PATHS = {
    "getPurchaseOrders": "/vendor/orders/v1/purchaseOrders",
    "getPurchaseOrder": "/vendor/orders/v1/purchaseOrders/{purchaseOrderNumber}",
}


def fields() -> dict[str, dict[str, Any]]:
    """Return the fields of the rows of each stream."""
    found: dict[str, dict[str, Any]] = _read("fields")
    return found


def examples() -> dict[str, list[dict[str, Any]]]:
    """Return the requests that the strict sandbox answers, and its replies, by operation."""
    found: dict[str, list[dict[str, Any]]] = _read("examples")
    return found


def write_sandbox(folder: Path) -> Path:
    """Write the sandbox cases as a swagger file, for `Options.model`, and return its path."""
    paths = {
        _PATHS[operation]: {
            "get": {
                "operationId": operation,
                "responses": {"200": {"x-amzn-api-sandbox": {"static": list(map(_case, cases))}}},
            }
        }
        for operation, cases in _read("sandbox").items()
    }
    path = folder / "sandbox.json"
    path.write_text(json.dumps({"paths": paths}), encoding="utf-8")
    return path


def _case(case: dict[str, Any]) -> dict[str, Any]:
    parameters = {name: {"value": value} for name, value in case["asked"].items()}
    return {"request": {"parameters": parameters}, "response": {"payload": case["payload"]}}


def _read(name: str) -> Any:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
