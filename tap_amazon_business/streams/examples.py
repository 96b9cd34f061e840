"""The rows of Amazon's sandbox: what it answers to the one request that it expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_amazon_business.api.sandbox import example

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_amazon_business.api.client import Client
    from tap_amazon_business.api.operations import Operation


def example_rows(client: Client, operations: Iterable[Operation]) -> Iterator[Any]:
    """Yield the rows of each operation's example; its page token leads nowhere.

    Raises:
        RequestFailedError: No example of an operation is known, or its request failed.
    """
    for operation in operations:
        request = example(operation)
        if operation.rows == "payload":
            yield client.row(request)
        else:
            yield from operation.rows_of(client.get(request)) or []
