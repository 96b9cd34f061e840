"""The requests that Amazon's static sandbox answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tap_amazon_business.api.operations import GET_TRANSACTIONS, OPERATIONS, Operation
from tap_amazon_business.api.sandbox import example
from tap_amazon_business.errors import RequestFailedError


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_operation_has_an_example_of_its_own(operation: Operation) -> None:
    assert example(operation).operation is operation


def test_an_operation_without_an_example_is_named() -> None:
    with pytest.raises(RequestFailedError) as caught:
        example(replace(GET_TRANSACTIONS, name="getReturnReports"))
    assert caught.value.message == (
        "getReturnReports (sandbox) was skipped: Amazon's models contain no example of it."
    )
