"""Order reports by purchase order number."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_amazon_business.api import operations
from tap_amazon_business.api.operations import Request
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError
from tap_amazon_business.sync.bookmark import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_amazon_business.streams.base import AmazonStream

# Dots alone mean another path, however they are encoded: every client and server resolves them.
_NOT_A_PATH_SEGMENT = frozenset({"", ".", ".."})
_REFUSED_NUMBERS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})

# How many refused numbers a bookmark keeps in mind, as a state should stay small; and with how many
# digits, so that among tens of thousands of numbers hardly two are taken for one.
_MOST_REFUSED = 24
_MARK = 8

# A purchase order number, and the rows of its reports.
Reports = tuple[str, list[dict[str, Any]]]


class ByNumber:
    """Requests each number in each region.

    Args:
        stream: The stream that needs the reports.
        tell: Called with how many numbers are done, and how many there are.

    Attributes:
        refused: The numbers that Amazon refused, each with the error.
    """

    def __init__(self, stream: AmazonStream, tell: Callable[[int, int], None]) -> None:
        self._stream = stream
        self._tell = tell
        self.refused: dict[str, RequestFailedError] = {}

    def reports(self, numbers: Sequence[str]) -> Iterator[Reports]:
        """Yield each purchase order number with the rows of its reports.

        Raises:
            RequestFailedError: A request failed, or every number was refused.
        """
        refused: dict[str, RequestFailedError] = {}
        with self._stream.readers.read(numbers, self._read) as prefetch:
            for done, (number, rows) in enumerate(prefetch, start=1):
                self._tell(done, len(numbers))
                if isinstance(rows, RequestFailedError):
                    refused[number] = rows
                else:
                    yield number, rows
        if len(refused) == len(numbers) > 1:
            raise next(iter(refused.values()))  # it is not the number
        for error in refused.values():
            self._stream.warn("%s Its order reports are missing until a later sync.", error.message)
        self.refused |= refused

    def _read(self, number: str) -> list[Any] | RequestFailedError:
        if number in _NOT_A_PATH_SEGMENT:
            self._stream.warn(
                "purchase order '%s' cannot be requested by number: no URL path can hold it", number
            )
            return []
        try:
            return [
                row
                for region in self._stream.settings.business_api_regions
                for page in self._stream.client.pages(self._request(number, region))
                for row in page
            ]
        except PageTokenRefusedError:
            raise  # it is not the number
        except RequestFailedError as error:
            if error.status not in _REFUSED_NUMBERS:
                raise
            return RequestFailedError(
                f"{error.message} If Amazon refuses only this number, set order_reports_strategy "
                "to order_date, which sends no numbers.",
                status=error.status,
            )

    def _request(self, number: str, region: str) -> Request:
        return Request(
            operations.GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER,
            {"region": region},
            f"region {region}, purchase order {number}",
            # Buyers type purchase order numbers as they like, slashes and umlauts included.
            segment=quote(number, safe=""),
        )


class RefusedNumbers:
    """The numbers that Amazon refused, each to be asked for again when its order is read again.

    Buyers type numbers as they like, personal data too, so the state holds marks of them.

    Args:
        kept: The marks that a bookmark holds.
    """

    def __init__(self, kept: object = None) -> None:
        text = kept if isinstance(kept, str) else ""
        marks = (text[start : start + _MARK] for start in range(0, len(text), _MARK))
        self._marks = dict.fromkeys(marks)

    def __contains__(self, number: str) -> bool:
        return _mark(number) in self._marks

    @property
    def marks(self) -> str:
        """The marks as a bookmark holds them, an empty text if there are none."""
        return "".join(self._marks)

    def note(self, asked: Iterable[str], refused: Mapping[str, RequestFailedError]) -> None:
        """Take note of which numbers were refused among those asked for.

        Raises:
            RequestFailedError: They are more than a bookmark can keep in mind.
        """
        for number in asked:
            if number not in refused:
                self._marks.pop(_mark(number), None)
                continue
            self._marks[_mark(number)] = None
            if len(self._marks) > _MOST_REFUSED:
                raise refused[number]


def _mark(number: str) -> str:
    return fingerprint(number, length=_MARK)
