"""The strict sandbox: the parameters of its examples, exactly, or 400."""

from typing import Any

import pytest

from simulator import Options
from simulator.models import examples
from simulator.tests.support import ORDERS, REPORTS, Client, Simulators, error_of

CHANGED = {"changedAfter": "2020-05-25T13:00:00", "changedBefore": "2020-05-27T13:00:00"}
APRIL = {"orderStartDate": "2025-04-01T00:00:00Z", "orderEndDate": "2025-04-30T00:00:00Z"}


@pytest.fixture(name="client")
def strict_client(simulators: Simulators) -> Client:
    return simulators.start(options=Options(sandbox=True))


@pytest.mark.parametrize("operation", examples())
def test_each_example_is_answered(client: Client, operation: str) -> None:
    served = client.simulator.operations[operation]
    for case in examples()[operation]:
        asked: dict[str, Any] = dict(case.get("asked", {}))
        path = served.path
        if "{" in path:
            path = path.format(purchaseOrderNumber=asked.pop("purchaseOrderNumber"))
        api = "sp_api" if path.startswith("/vendor") else "business_api"
        posted = case.get("posted")
        reply = client.post(path, posted) if posted else client.get(path, api, **asked)
        assert reply.json() == case["body"]


def test_every_example_is_of_an_operation(client: Client) -> None:
    assert examples().keys() <= client.simulator.operations.keys()


def test_another_body_is_refused(client: Client) -> None:
    path = "/reconciliation/2021-01-08/invoices/batch/paymentDetails"
    reply = client.post(path, {"invoiceIds": ["JP218PV8HMOI"]})
    assert error_of(reply) == (400, "InvalidInput")


@pytest.mark.parametrize(
    "asked",
    [
        {**CHANGED, "limit": "1"},
        {**CHANGED, "changedBefore": "2020-05-27T13:00:01"},
        {"changedAfter": CHANGED["changedAfter"]},
        {**CHANGED, "nextToken": "LEADS/NOWHERE=="},
        {},
    ],
    ids=["one more", "another value", "one less", "its page token", "none"],
)
def test_other_parameters_are_refused(client: Client, asked: dict[str, str]) -> None:
    assert error_of(client.get(ORDERS, **asked)) == (400, "InvalidInput")


def test_another_number_is_refused(client: Client) -> None:
    assert client.get(f"{ORDERS}/4Z32PABC").status_code == 200
    assert error_of(client.get(f"{ORDERS}/5Z32PABC")) == (400, "InvalidInput")


def test_operations_of_amazon_business_refuse_with_the_same_code(client: Client) -> None:
    reply = client.get(f"{REPORTS}/orderReports", "business_api", **APRIL, region="US")
    assert error_of(reply) == (400, "InvalidInput")


def test_a_token_of_the_other_api_is_refused_as_ever(client: Client) -> None:
    reply = client.get(ORDERS, "business_api", **CHANGED)
    assert error_of(reply) == (403, "Unauthorized")
