"""The requests that Amazon's static sandbox answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.models import examples
from tap_amazon_business.api.operations import GET_TRANSACTIONS, OPERATIONS
from tap_amazon_business.api.sandbox import EXAMPLES, example
from tap_amazon_business.errors import RequestFailedError


def test_there_is_an_example_where_the_simulator_answers_one() -> None:
    assert EXAMPLES.keys() == examples().keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_of_its_own_operation(name: str) -> None:
    assert example(OPERATIONS[name]).operation is OPERATIONS[name]


def test_an_operation_without_an_example_is_named() -> None:
    with pytest.raises(RequestFailedError) as caught:
        example(replace(GET_TRANSACTIONS, name="getReturnReports"))
    assert caught.value.message == (
        "getReturnReports (sandbox) was skipped: Amazon's models contain no example of it."
    )
