"""order_reports by number: one request per purchase order and region."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from singer_sdk.helpers.types import Record
from typing_extensions import override

from tap_amazon_business.api.operations import GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER, Request
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError, TapError
from tap_amazon_business.streams.base import AmazonStream, Row
from tap_amazon_business.streams.children import Child
from tap_amazon_business.streams.queries import business_coverage
from tap_amazon_business.streams.sliced import Plan
from tap_amazon_business.streams.vendor import PurchaseOrdersStream
from tap_amazon_business.sync.bookmark import (
    Coverage,
    ResumePoint,
    bookmark_state,
    fingerprint,
    resume_point,
)
from tap_amazon_business.sync.lookback import Lookback, due
from tap_amazon_business.sync.seen import Seen
from tap_amazon_business.sync.windows import Window

if TYPE_CHECKING:
    from tap_amazon_business.streams.order_reports import OrderReportsStream

# Dots alone mean another path, however they are encoded: every client and server resolves them.
_NOT_A_PATH_SEGMENT = frozenset({"", ".", ".."})
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})

# A purchase order number, and the rows of its reports.
Reports = tuple[str, list[Any]]


class Fallback:
    """State of the lists: if they fail, reports are requested by number instead.

    Attributes:
        is_active: Whether they failed, so that reports are requested by number.
        listed_until: Until when earlier syncs read the lists.
    """

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._ended.set()  # unless they are going to be read
        self._error: TapError | None = None
        self.is_active = False
        self.listed_until: datetime | None = None

    def expect(self) -> None:
        """Record that the lists are going to be read."""
        self._ended.clear()

    def start(self, listed_until: datetime | None) -> None:
        """Have the reports asked for by number."""
        self.is_active, self.listed_until = True, listed_until

    def end(self, error: TapError | None) -> None:
        """Record that the lists have ended, and why they failed."""
        self._error = error
        self._ended.set()

    def wait(self) -> None:
        """Wait until the lists have ended; raise their error unless reports come by number."""
        self._ended.wait()
        if self._error and not self.is_active:
            raise self._error


class ReportsByNumber(Child):
    """order_reports as a child of purchase_orders: one request per purchase order and region.

    A report of an order may appear or change at any time, and no date shows it. So each new or
    changed order is asked for, and each order of the last `order_lookback_days` once a cycle.

    The stream has a bookmark of its own for this. So if the parent reads everything again, because
    a stream was added or because it does so in every sync (FULL_TABLE), only the orders that are
    due are requested again.
    """

    def __init__(
        self,
        stream: OrderReportsStream,
        parent: PurchaseOrdersStream,
        fallback: Fallback | None,
    ) -> None:
        self._stream = stream
        self._parent = parent
        self._fallback = fallback
        self._waiting: list[str] = []
        self._asked = Seen()

    @property
    @override
    def stream(self) -> OrderReportsStream:
        return self._stream

    @property
    @override
    def covers(self) -> Coverage:
        return business_coverage(self._stream.settings, "business_account")

    @property
    def _own_covers(self) -> Coverage:
        """What the stream's own bookmark covers."""
        host = fingerprint(self._stream.client.url)
        return {"host": host, **business_coverage(self._stream.settings)}

    # ---- what is asked for ---------------------------------------------------------------------

    @override
    def wants(self, bucket: datetime | None, *, changed: bool) -> bool:
        if bucket is None:
            return changed
        if self._has_lists and not self._resume.moment:
            return changed  # by number, only if the lists fail in this sync
        compared_until = self._plan.resume.moment
        if self._is_incomplete:
            return True
        if any(window.start <= bucket < window.end for window in self._due):
            return True
        if compared_until and bucket < compared_until:
            return changed
        asked_until = self._asked_until
        return changed and (
            asked_until is None or bucket >= asked_until - self._parent.rolling.recent
        )

    @cached_property
    def _due(self) -> list[Window]:
        """The windows whose orders are asked for whether they changed or not."""
        plan, rolling = self._plan, self._parent.rolling
        position = self._resume.position or plan.resume.position
        if position is None:
            return []
        shares = plan.span.shares
        if not plan.resume.moment:  # the parent reads everything
            days = (share.in_days() for share in due(rolling, position=position, now=plan.now))
            shares = tuple(share for share in days if share)
        oldest = plan.now - timedelta(days=self._stream.settings.order_lookback_days)
        old = (share.within(oldest, plan.now) for share in shares)
        # The parent reads all of the recent days in every sync.
        recent = plan.now - plan.span.since if plan.resume.moment else rolling.recent
        young = due(Lookback(recent, timedelta(), rolling.cycle), position=position, now=plan.now)
        return [share.window for share in (*old, *young) if share]

    @property
    def _has_lists(self) -> bool:
        return self._fallback is not None and not self._fallback.is_active

    @property
    def _is_incomplete(self) -> bool:
        """Whether orders that the parent has read were never asked for: then all are."""
        return self._asked_until is None and self._plan.resume.moment is not None

    @property
    def _asked_until(self) -> datetime | None:
        listed_until = self._fallback.listed_until if self._fallback else None
        return self._resume.moment or listed_until

    @property
    def _plan(self) -> Plan:
        return self._parent.plan

    @cached_property
    def _resume(self) -> ResumePoint:
        stream, plan = self._stream, self._plan
        return resume_point(
            stream.bookmark,
            stream=stream.name,
            replication_key=None,
            covers=self._own_covers,
            since=plan.span.since if plan.since is None else plan.since,
            now=plan.now,
        )

    @override
    def own_bookmark(self, end: datetime | None, position: datetime) -> dict[str, Any] | None:
        before = self._resume
        if self._has_lists:
            end = None  # the lists have the reports
        elif self._waiting:  # the lists have just failed
            end, position = None, before.position or position
        elif self._is_incomplete:
            begun = before.position or position
            # All orders were asked for once the lookback has gone round.
            end, position = (
                (end, position)
                if self._plan.now - begun > self._parent.rolling.cycle
                else (None, begun)
            )
        elif not self._plan.resume.moment and end and end < self._plan.span.until:
            position = before.position or position  # what is due is asked for last
        return bookmark_state(
            None,
            max(filter(None, (end, before.moment)), default=None),
            position=position,
            checksums=None,
            covers=self._own_covers,
            since=self._plan.since,
        )

    # ---- asking --------------------------------------------------------------------------------

    @override
    def records_of(self, parents: Sequence[Row]) -> Iterator[Record]:
        numbers = [str(order["purchaseOrderNumber"]) for order in parents]
        self._waiting += [number for number in numbers if self._asked.add(number)]
        if not self._has_lists:  # otherwise they may still fail
            yield from self._records_of_waiting()

    @override
    def remaining(self) -> Iterator[Record]:
        if self._fallback:
            with self._stream.budget.lock.released():
                self._fallback.wait()
            if not self._fallback.is_active:
                self._waiting.clear()
        yield from self._records_of_waiting()

    def _records_of_waiting(self) -> Iterator[Record]:
        numbers, self._waiting = self._waiting, []
        if numbers:
            yield from self._stream.records_from(reports_by_number(self._stream, numbers, []))


def reports_by_number(
    stream: AmazonStream, numbers: Sequence[str], refused: list[RequestFailedError]
) -> Iterator[Reports]:
    """Yield each purchase order number with the rows of its reports in all regions.

    Args:
        stream: The stream that needs the reports.
        numbers: The numbers.
        refused: Gets the errors of numbers that Amazon refuses.

    Raises:
        RequestFailedError: A request failed, or every number was refused.
    """

    def read(number: str) -> list[Any] | RequestFailedError:
        try:
            return [
                row
                for region in stream.settings.business_api_regions
                for row in _rows(stream, number, region)
            ]
        except PageTokenRefusedError:
            raise  # a page token was refused, which says nothing about the number
        except RequestFailedError as error:
            if error.status not in _REFUSED:
                raise
            return error

    with stream.budget.read(numbers, read) as prefetch:
        for number, rows in prefetch:
            if isinstance(rows, RequestFailedError):
                refused.append(rows)
            else:
                yield number, rows
    if len(refused) == len(numbers) > 1:
        raise refused[0]  # every number was refused, so the numbers are not the cause
    for error in refused:
        stream.warn(
            "%s If Amazon refuses only this number, its order reports are missing until the next "
            "cycle retries it. order_reports_strategy order_date avoids requests by number.",
            error.message,
        )


def _rows(stream: AmazonStream, number: str, region: str) -> list[Any]:
    if number in _NOT_A_PATH_SEGMENT:
        stream.warn(
            "purchase order '%s' cannot be requested by number: no URL path can contain it", number
        )
        return []
    request = Request(
        GET_ORDER_REPORTS_BY_PURCHASE_ORDER_NUMBER,
        {"region": region},
        f"region {region}, purchase order {number}",
        # Buyers type purchase order numbers as they like, slashes and umlauts included.
        segment=quote(number, safe=""),
    )
    try:
        return [row for page in stream.client.pages(request) for row in page]
    except RequestFailedError as error:
        if error.status == HTTPStatus.NOT_FOUND and error.code:
            return []  # Amazon's own 404 means that there are no reports
        raise
