"""Reads what an operation takes by the batch, whatever it refuses of one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from tap_amazon_business.errors import RequestFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tap_amazon_business.api.operations import Operation, Request
    from tap_amazon_business.streams.base import AmazonStream

T = TypeVar("T")

# One thing that Amazon does not accept makes it refuse the whole batch.
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})

# The rows of a batch, and the refusals of what has none.
_Answer = tuple[list[Any], list[RequestFailedError]]


def rows_in_batches(
    stream: AmazonStream,
    operation: Operation,
    wanted: Sequence[T],
    request: Callable[[Sequence[T]], Request],
) -> Iterator[Any]:
    """Yield the rows of all batches, in any order.

    A batch that is refused is halved until the thing at fault is alone: a warning names it, and
    the rest goes on.

    Args:
        stream: The stream that needs the rows.
        operation: The operation; a batch is as large as its page.
        wanted: What is asked for.
        request: Returns the request for a batch.

    Raises:
        RequestFailedError: A request failed, or everything in a full batch was refused.
    """
    most = operation.page_size
    batches = [wanted[start : start + most] for start in range(0, len(wanted), most)]

    def read(batch: Sequence[T]) -> _Answer:
        try:
            return [row for page in stream.client.pages(request(batch)) for row in page], []
        except RequestFailedError as error:
            if error.status not in _REFUSALS:
                raise
            if len(batch) == 1:
                return [], [error]
        middle = len(batch) // 2
        (first, refused), (second, also) = read(batch[:middle]), read(batch[middle:])
        return first + second, refused + also

    with stream.readers.read(batches, read) as prefetch:
        for _, (rows, refused) in prefetch:
            if len(refused) == most:
                raise refused[0]  # it is not what was asked for
            for error in refused:
                stream.warn(
                    "%s The sync goes on without it; a later one asks again.", error.message
                )
            yield from rows
