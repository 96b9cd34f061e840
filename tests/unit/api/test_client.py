"""Every request ends in a response or in one error: what is sent, how often, and how fast."""

from __future__ import annotations

import gzip
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
import requests

from simulator import Cut, Hang, Options, Reply, Reset, Simulator, World
from tap_amazon_business.api.auth import Credentials, LoginWithAmazon
from tap_amazon_business.api.client import Api, Client, Traffic
from tap_amazon_business.api.limits import Limiter
from tap_amazon_business.api.operations import (
    GET_PURCHASE_ORDER,
    GET_PURCHASE_ORDERS,
    Request,
    UsagePlan,
)
from tap_amazon_business.api.retry import Health, Outage, Retrier
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.clock import BoundedClock
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError
from tests.support.clocks import FakeClock
from tests.support.faults import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aiohttp import web

    from simulator import Call, Fault, OperationStats
    from simulator.faults import Serve

LOGGER = logging.getLogger("tests.unit.client")
USER_AGENT = "tests/1 (Language=Python/3)"
OPERATION = GET_PURCHASE_ORDERS.name
SIGN_IN = "token"  # the simulator's name of the operation
REQUEST = Request(
    GET_PURCHASE_ORDERS,
    {
        "createdAfter": "2026-05-25T00:00:00Z",
        "createdBefore": "2026-05-31T00:00:00Z",
        "limit": "1",
    },
    subject="created in May",
)
FREE = Options(limits=False)
HTML = b"<html><body>Service Unavailable</body></html>"
# The longest waits after each attempt but the last.
LONGEST_WAITS = 1 + 2 + 4 + 8 + 16 + 32 + 60


def refused(status: int, code: str, message: str = "It was refused.", **headers: str) -> Reply:
    """Return a refusal as the APIs put it."""
    body = {"errors": [{"code": code, "message": message, "details": ""}]}
    return Reply(status, {"x-amzn-RequestId": "the-id", **headers}, json.dumps(body).encode())


def slow_down(retry_after: str = "") -> Reply:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return replace(refused(429, "QuotaExceeded"), headers=headers)


@dataclass
class Line:
    """A simulator and its client, by the same clock."""

    simulator: Simulator
    clock: FakeClock
    amazon: LoginWithAmazon
    api: Api
    client: Client

    def fail_next(self, *faults: Fault) -> None:
        self.simulator.fail_next(OPERATION, *faults)

    def get(self, request: Request = REQUEST) -> dict[str, Any]:
        return self.client.get(request)

    def failure(self, request: Request = REQUEST) -> RequestFailedError:
        with pytest.raises(RequestFailedError) as caught:
            self.client.get(request)
        return caught.value

    @property
    def traffic(self) -> OperationStats:
        return self.simulator.stats().operations[OPERATION]

    @property
    def calls(self) -> list[Call]:
        return list(self.simulator.stats().calls)

    @property
    def token_requests(self) -> int:
        return sum(self.simulator.stats().token_requests.values())


@contextmanager
def line(
    options: Options = FREE,
    *,
    plans: Mapping[str, UsagePlan] = MappingProxyType({}),
    timeout: float = 30,
) -> Iterator[Line]:
    """Start a simulator with three purchase orders, and make a client for it."""
    clock = FakeClock()
    world = World(orders=0, quirks=False, now=clock.now)
    for day in (26, 27, 28):
        world.add_order(created=datetime(2026, 5, day, tzinfo=UTC), reports=0)
    with Simulator(world, options, monotonic=clock.monotonic) as simulator:
        names = ("client_id", "client_secret", "refresh_token")
        parts = (simulator.config()[f"sp_api_{name}"] for name in names)
        transport = Transport(user_agent=USER_AGENT, connections=16, request_timeout=timeout)
        outage = Outage(clock)
        retrier = Retrier(outage, clock, LOGGER)
        amazon = LoginWithAmazon(
            Credentials("sp_api", *parts),
            lwa_url=simulator.url,
            transport=transport,
            retrier=retrier,
            clock=BoundedClock(clock),
        )
        api = Api(
            url=simulator.url,
            prefix="sp_api",
            region_setting="sp_api_region",
            authenticator=amazon,
            limiter=Limiter(plans, clock),
            transport=transport,
            most=8,
            health=Health("sp_api", outage),
            retrier=retrier,
        )
        yield Line(simulator, clock, amazon, api, Client(api))


# ---- a response ----------------------------------------------------------------------------------


def test_a_response_takes_one_request() -> None:
    with line() as here:
        assert len(here.get()["payload"]["orders"]) == 1
        assert here.traffic.requests == 1


def test_sends_the_parameters_of_the_request_and_no_others() -> None:
    with line() as here:
        here.get()
        (call,) = here.calls
        assert call.parameters == REQUEST.params


def test_requests_the_next_page_with_the_same_parameters_and_its_token() -> None:
    with line() as here:
        token = here.get()["payload"]["pagination"]["nextToken"]
        here.get(REQUEST.page(token))
        assert here.calls[-1].parameters == {**REQUEST.params, "nextToken": token}


def test_reads_a_compressed_response() -> None:
    body = gzip.compress(b'{"payload": {"orders": []}}')
    with line() as here:
        here.fail_next(Reply(200, {"Content-Encoding": "gzip"}, body))
        assert pages(here) == [[]]


def test_threads_share_a_client() -> None:
    with line() as here, ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: here.get(), range(64)))
        assert all(answer["payload"]["orders"] for answer in answers)
        assert (here.traffic.requests, here.token_requests) == (64, 1)


# ---- headers -------------------------------------------------------------------------------------


@dataclass
class Headers:
    """No fault; keeps the request's headers."""

    seen: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        self.seen.update({name.lower(): value for name, value in request.headers.items()})
        return await serve()


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a .netrc file with a password for every host."""
    path = tmp_path / "netrc"
    path.write_text("default login jane password of-jane\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


@pytest.mark.parametrize("operation", [OPERATION, SIGN_IN])
def test_sends_the_user_agent(operation: str) -> None:
    with line() as here:
        here.simulator.fail_next(operation, headers := Headers())
        here.get()
        assert headers.seen["user-agent"] == USER_AGENT


def test_sends_the_access_token() -> None:
    with line() as here:
        here.fail_next(headers := Headers())
        here.get()
        assert headers.seen["x-amz-access-token"] == here.amazon.access_token()


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("operation", [OPERATION, SIGN_IN])
def test_ignores_a_netrc_file(operation: str) -> None:
    with line() as here:
        # The file is one that requests would use.
        assert requests.utils.get_netrc_auth(here.simulator.url) == ("jane", "of-jane")
        here.simulator.fail_next(operation, headers := Headers())
        here.get()
        assert headers.seen
        assert "authorization" not in headers.seen


def test_does_not_follow_a_redirect() -> None:
    with line() as here, line() as elsewhere:
        target = f"{elsewhere.simulator.url}{REQUEST.path}"
        here.fail_next(Reply(302, {"Location": target}))
        error = here.failure()
        assert "does not follow redirects" in error.message
        assert "check sp_api_url" in error.message
        assert (here.traffic.requests, elsewhere.traffic.requests) == (1, 0)


# ---- transient failures --------------------------------------------------------------------------

TRANSIENT = [
    slow_down(),
    slow_down("3"),
    *(refused(status, "InternalFailure") for status in (500, 502, 503, 504)),
    Reply(503, {"Content-Type": "text/html"}, HTML),
    Reply(500),
    Reply(200),
    Reply(200, {"Content-Type": "text/html"}, HTML),
    Reply(200, body=b'{"payload": {"orders": ['),
    Reply(200, body=b'{"payload": "\xff"}'),
    Reply(200, body=b"[]"),
    Reply(200, body=b"{}"),
    Reply(200, body=b"null"),
    Reply(200, body=b"\xef\xbb\xbf"),
    Reply(200, body=b"[" * 100_000),
    Reply(200, body=b'{"a":' * 100_000),
    Reply(200, {"Content-Encoding": "gzip"}, b'{"payload": {"orders": []}}'),
    Reply(
        200,
        {"Content-Encoding": "gzip"},
        gzip.compress(b'{"payload": {"orders": []}}', mtime=0)[:-9],
    ),
    replace(refused(500, "InternalFailure"), status=200),
    Reset(),
    Cut(),
    Cut(share=0),
]


@pytest.mark.parametrize("fault", TRANSIENT, ids=lambda fault: str(fault)[:60])
def test_retries_after_a_transient_failure(fault: Fault) -> None:
    with line() as here:
        here.fail_next(fault)
        assert here.get()["payload"]["orders"]
        assert here.traffic.requests == 2


@pytest.mark.parametrize("fault", TRANSIENT, ids=lambda fault: str(fault)[:60])
def test_gives_up_after_eight_attempts(fault: Fault) -> None:
    with line() as here:
        here.fail_next(*[fault] * 100)
        assert "getPurchaseOrders (created in May) failed in 8 attempts" in str(here.failure())
        assert here.traffic.requests == 8


# ---- a stream that has ended ---------------------------------------------------------------------


def test_a_closed_client_sends_no_request_until_it_is_opened_again() -> None:
    with line() as here:
        here.client.close()
        assert here.failure().message == "The stream has ended."
        assert here.traffic.requests == 0
        here.client.open()
        assert here.get()["payload"]["orders"]


def test_closing_a_client_leaves_the_others_of_its_api_open() -> None:
    with line() as here:
        other = Client(here.api)
        here.client.close()
        assert other.get(REQUEST)["payload"]["orders"]


def test_a_client_that_is_closed_while_it_waits_does_not_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with line() as here:
        here.fail_next(Reply(503))
        monkeypatch.setattr(here.clock, "sleep", lambda _: here.client.close())
        assert here.failure().message == "The stream has ended."
        assert here.traffic.requests == 1


# ---- once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Reply(503), "getPurchaseOrders (created in May) did not work: HTTP 503"),
        (Reset(), "Check network, proxy and sp_api_url, or try again later."),
        (refused(429, "QuotaExceeded"), "give each its share with rate_limits"),
        (refused(404, "NotFound"), "was refused: HTTP 404 NotFound"),
    ],
    ids=["down", "reset", "429", "404"],
)
def test_a_request_that_is_sent_once_is_not_retried(fault: Fault, expected: str) -> None:
    with line() as here:
        here.fail_next(fault)
        with pytest.raises(RequestFailedError) as caught:
            here.client.get_once(REQUEST)
        assert expected in caught.value.message
        assert here.traffic.requests == 1
        assert here.clock.slept == []
        # Nor is it held against the requests after it.
        assert here.get()["payload"]["orders"]


def test_returns_the_current_rate() -> None:
    with line() as here:
        assert here.client.rate(GET_PURCHASE_ORDERS) == 10
        here.fail_next(Served(headers={"x-amzn-RateLimit-Limit": "2.5"}))
        here.get()
        assert here.client.rate(GET_PURCHASE_ORDERS) == 2.5


# ---- retries -------------------------------------------------------------------------------------


def test_retries_through_failures_of_many_kinds() -> None:
    with line() as here:
        here.fail_next(
            Reply(503),
            Reset(),
            slow_down(),
            Reply(200, body=HTML),
            Cut(),
            slow_down("5"),
            Reply(500),
        )
        assert here.get()["payload"]["orders"]
        assert here.traffic.requests == 8


def test_retries_after_a_timeout() -> None:
    with line(timeout=0.5) as here:
        here.fail_next(Hang())
        assert here.get()["payload"]["orders"]
        assert here.traffic.requests >= 2


def test_gives_up_within_two_minutes() -> None:
    with line() as here:
        here.fail_next(*[Reply(503)] * 100)
        here.failure()
        assert here.clock.monotonic() <= LONGEST_WAITS


def test_the_error_names_the_last_problem_and_the_remedy() -> None:
    with line() as here:
        here.fail_next(*[Reply(500)] * 7, refused(503, "ServiceUnavailable", "Come back."))
        error = here.failure()
        assert error.status == 503
        assert "HTTP 503 ServiceUnavailable: Come back. [x-amzn-RequestId the-id]" in error.message
        assert "sp_api_url" in error.message


def test_names_a_host_that_does_not_respond() -> None:
    with line() as here:
        here.fail_next(*[Reset()] * 8)
        error = here.failure()
        assert error.status is None
        assert "no response: the connection to 127.0.0.1 broke (Connect" in error.message


def test_logs_every_attempt_with_the_wait_that_follows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, LOGGER.name), line() as here:
        here.fail_next(refused(503, "ServiceUnavailable"), Reset())
        here.get()
        first, second = [record.getMessage() for record in caplog.records]
        assert "getPurchaseOrders (created in May): HTTP 503 ServiceUnavailable" in first
        assert f"attempt 1 of 8, retrying in {here.clock.slept[0]:.1f} s" in first
        assert f"attempt 2 of 8, retrying in {here.clock.slept[1]:.1f} s" in second


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidInput"),
        (400, "InvalidRequest"),
        (404, "NotFound"),
        (405, "MethodNotAllowed"),
        (413, "RequestEntityTooLarge"),
        (415, "UnsupportedMediaType"),
    ],
)
def test_does_not_retry_a_refusal(status: int, code: str) -> None:
    with line() as here:
        here.fail_next(refused(status, code, "Not like this."))
        error = here.failure()
        assert error.status == status
        assert (
            f"getPurchaseOrders (created in May) was refused: HTTP {status} {code}: "
            "Not like this. [x-amzn-RequestId the-id]."
        ) in error.message
        assert (here.traffic.requests, here.clock.slept) == (1, [])


@pytest.mark.parametrize("body", [b"", HTML], ids=["nothing", "HTML"])
def test_does_not_retry_a_refusal_that_is_not_from_the_api(body: bytes) -> None:
    with line() as here:
        here.fail_next(Reply(404, {"Content-Type": "text/html; charset=utf-8"}, body))
        assert "HTTP 404: the body is not from this API (text/html)" in here.failure().message
        assert here.traffic.requests == 1


def test_the_error_about_a_refused_range_names_the_settings() -> None:
    with line() as here:
        error = here.failure(
            replace(REQUEST, params={**REQUEST.params, "createdAfter": "2026-05-01T00:00:00Z"})
        )
        assert error.status == 400
        assert "Check start_date and end_date" in error.message


def test_the_next_request_succeeds_after_a_refusal() -> None:
    with line() as here:
        here.fail_next(refused(400, "InvalidInput"))
        here.failure()
        assert here.get()["payload"]["orders"]


# ---- access tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_renews_a_refused_access_token_once_without_waiting(status: int) -> None:
    with line() as here:
        here.fail_next(refused(status, "Unauthorized"))
        assert here.get()["payload"]["orders"]
        assert (here.traffic.requests, here.token_requests, here.clock.slept) == (2, 2, [])


def test_renews_a_revoked_access_token() -> None:
    with line() as here:
        here.get()
        here.simulator.revoke_tokens()
        assert here.get()["payload"]["orders"]
        assert (here.traffic.requests, here.token_requests) == (3, 2)


def test_threads_share_the_new_access_token() -> None:
    with line() as here, ThreadPoolExecutor(16) as threads:
        here.get()
        here.simulator.revoke_tokens()
        answers = list(threads.map(lambda _: here.get(), range(32)))
        assert all(answer["payload"]["orders"] for answer in answers)
        assert here.token_requests == 2


@pytest.mark.parametrize("status", [401, 403])
def test_gives_up_when_a_new_access_token_is_refused_too(status: int) -> None:
    with line() as here:
        here.fail_next(*[refused(status, "Unauthorized")] * 100)
        assert here.failure().status == status
        assert (here.traffic.requests, here.token_requests) == (2, 2)


def test_names_the_missing_role_and_the_request_id() -> None:
    with line(Options(limits=False, lacking_roles=frozenset({OPERATION}))) as here:
        message = here.failure().message
        assert f"sp_api_client_id lacks the role {GET_PURCHASE_ORDERS.role}" in message
        assert "sp_api_refresh_token" in message
        assert "HTTP 403 Unauthorized" in message
        assert re.search(r"\[x-amzn-RequestId [0-9a-f]{8}-0000-4000-", message)


def test_no_message_about_a_missing_role_shows_an_access_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        line(Options(limits=False, lacking_roles=frozenset({OPERATION}))) as here,
    ):
        refused_token = here.amazon.access_token()
        error = here.failure()
        shown = f"{error!r} {error} {caplog.text}"
        assert "HTTP 403" in caplog.text
        assert refused_token not in shown
        assert here.amazon.access_token() not in shown


def test_retries_after_a_renewed_access_token() -> None:
    with line() as here:
        here.fail_next(refused(403, "Unauthorized"), Reply(503), Reply(503))
        assert here.get()["payload"]["orders"]
        assert here.traffic.requests == 4


def test_renews_an_access_token_that_expires_while_waiting_for_the_limit() -> None:
    # One request every twenty seconds, and tokens that last ten.
    plans = {OPERATION: UsagePlan(rate=0.05, burst=1)}
    with line(Options(limits=False, token_lifetime=10), plans=plans) as here:
        for _ in range(3):
            assert here.get()["payload"]["orders"]
        assert here.traffic.requests == 3


def test_refused_credentials_fail_a_request_before_it_is_sent() -> None:
    with line() as here:
        here.simulator.fail_next(SIGN_IN, Reply(400, body=b'{"error":"invalid_grant"}'))
        assert "check sp_api_refresh_token" in here.failure().message
        assert here.traffic.requests == 0


# ---- page tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2, 3])
def test_retries_a_refused_page(times: int) -> None:
    with line() as here:
        token = here.get()["payload"]["pagination"]["nextToken"]
        here.fail_next(*[refused(400, "InvalidInput")] * times)
        assert here.get(REQUEST.page(token))["payload"]["orders"]
        assert here.traffic.requests == 1 + times + 1


def test_gives_up_a_page_after_four_refusals() -> None:
    with line() as here:
        with pytest.raises(PageTokenRefusedError) as caught:
            here.get(REQUEST.page("not-from-amazon"))
        assert "the next page was refused 4 times: HTTP 400 InvalidInput" in caught.value.message
        assert caught.value.status == 400
        assert here.traffic.requests == 4


@pytest.mark.parametrize("reply", [refused(400, "InvalidRequest"), refused(404, "InvalidInput")])
def test_does_not_retry_a_page_that_is_refused_for_another_reason(reply: Reply) -> None:
    with line() as here:
        here.fail_next(reply)
        error = here.failure(REQUEST.page("any"))
        assert not isinstance(error, PageTokenRefusedError)
        assert here.traffic.requests == 1


# ---- lists ---------------------------------------------------------------------------------------


def page(rows: object, token: object = None, **more: object) -> Reply:
    payload = {"orders": rows, "pagination": {"nextToken": token}, **more}
    return Reply(200, body=json.dumps({"payload": payload}).encode())


def pages(here: Line) -> list[list[Any]]:
    return [list(rows) for rows in here.client.pages(REQUEST)]


def list_failure(here: Line) -> RequestFailedError:
    with pytest.raises(RequestFailedError) as caught:
        pages(here)
    return caught.value


def test_reads_all_pages_of_a_list() -> None:
    with line() as here:
        assert [len(rows) for rows in pages(here)] == [1, 1, 1]


def test_reads_on_after_an_empty_page_with_a_token() -> None:
    with line() as here:
        here.fail_next(page([], "more"), page([1]))
        assert pages(here) == [[], [1]]


@pytest.mark.parametrize("token", [None, ""])
def test_ends_a_list_without_a_page_token(token: str | None) -> None:
    with line() as here:
        here.fail_next(page([1], token))
        assert pages(here) == [[1]]
        assert here.traffic.requests == 1


@pytest.mark.parametrize(
    ("token", "sent"),
    [(1, "1"), (True, "True"), (1.5, "1.5"), ("a\0b", "ab"), ("\ud800", "?"), ("&=?", "&=?")],
    ids=["integer", "boolean", "number", "NUL", "half a character", "reserved"],
)
def test_sends_back_page_tokens_of_any_type(token: object, sent: str) -> None:
    with line() as here:
        here.fail_next(page([1], token), page([2]))
        assert pages(here) == [[1], [2]]
        assert here.calls[-1].parameters["nextToken"] == sent


def test_sends_back_a_long_page_token() -> None:
    with line() as here:
        here.fail_next(page([1], "x" * 5000), page([2]))
        assert pages(here) == [[1], [2]]
        assert here.calls[-1].parameters["nextToken"] == "x" * 5000


def test_starts_a_list_over_when_its_page_token_is_refused() -> None:
    with line() as here:
        first, *_ = pages(here)
        here.fail_next(Served(), *[refused(400, "InvalidInput")] * 4)
        again = pages(here)
        assert again[:2] == [first, first]
        assert len(again) == 1 + 3


def test_gives_up_a_list_after_three_fresh_starts() -> None:
    with line() as here:
        attempts: list[Fault] = [Served(), *[refused(400, "InvalidInput")] * 4]
        here.fail_next(*attempts * 4)
        assert isinstance(list_failure(here), PageTokenRefusedError)
        assert here.traffic.requests == 4 * 5


def test_gives_up_a_list_whose_page_tokens_repeat() -> None:
    with line() as here:
        here.fail_next(page([1], "a"), page([2], "b"), page([3], "a"))
        assert "the page tokens repeat" in list_failure(here).message
        assert here.traffic.requests == 3


def test_accepts_a_known_page_token_after_a_fresh_start() -> None:
    with line() as here:
        here.fail_next(
            page([1], "a"), *[refused(400, "InvalidInput")] * 4, page([1], "a"), page([2])
        )
        assert pages(here) == [[1], [1], [2]]


WITHOUT_ROWS = pytest.mark.parametrize("rows", [None, {}, "text", 1])


@WITHOUT_ROWS
def test_retries_a_response_without_its_list(rows: object) -> None:
    with line() as here:
        here.fail_next(page(rows), page([1]))
        assert pages(here) == [[1]]


@WITHOUT_ROWS
def test_a_list_that_stays_without_its_rows_is_an_error(rows: object) -> None:
    with line() as here:
        here.fail_next(*[page(rows)] * 100)
        assert "failed in 8 attempts: HTTP 200 without 'orders'" in list_failure(here).message
        assert here.traffic.requests == 8


def test_reads_the_next_page_only_when_it_is_wanted() -> None:
    with line() as here:
        next(here.client.pages(REQUEST))
        assert here.traffic.requests == 1


# ---- one object ----------------------------------------------------------------------------------

ONE = Request(GET_PURCHASE_ORDER, subject="purchase order 7", segment="7")


def test_returns_the_one_object_of_an_operation_without_a_list() -> None:
    with line() as here:
        reply = Reply(200, body=b'{"payload": {"purchaseOrderNumber": "7"}}')
        here.simulator.fail_next(GET_PURCHASE_ORDER.name, reply)
        assert here.client.row(ONE) == {"purchaseOrderNumber": "7"}


@pytest.mark.parametrize("body", [b'{"payload": [1]}', b'{"payload": null}', b'{"other": {}}'])
def test_a_response_without_the_object_is_an_error(body: bytes) -> None:
    with line() as here:
        here.simulator.fail_next(GET_PURCHASE_ORDER.name, *[Reply(200, body=body)] * 100)
        with pytest.raises(RequestFailedError, match="8 attempts: HTTP 200 without 'payload'"):
            here.client.row(ONE)


def test_an_unknown_object_is_an_error_with_its_status() -> None:
    with line() as here:
        with pytest.raises(RequestFailedError) as caught:
            here.client.row(ONE)
        assert caught.value.status == 404


# ---- rate limits ---------------------------------------------------------------------------------


def gaps(here: Line) -> list[float]:
    """Return the seconds between one request and the next."""
    times = [call.at for call in here.calls]
    return [later - earlier for earlier, later in pairwise(times)]


def test_a_429_empties_the_bucket_and_slows_it_down() -> None:
    with line() as here:
        here.fail_next(slow_down())
        here.get()
        # The bucket is empty and fills at seven tenths of ten tokens a second; the wait after a
        # first attempt is a second at most.
        (gap,) = gaps(here)
        assert 1 / 7 <= gap <= 1 + 1 / 6


@pytest.mark.parametrize("seconds", [2, 37, 110])
def test_obeys_retry_after_to_the_second(seconds: int) -> None:
    with line() as here:
        here.fail_next(slow_down(str(seconds)))
        here.get()
        assert gaps(here) == [pytest.approx(seconds)]


def test_retry_after_delays_other_requests_too() -> None:
    with line() as here:
        here.fail_next(*[slow_down("30")] * 8)
        here.failure()
        # Nothing waited after the last 429, as the request had failed. The next one has to.
        here.get()
        assert gaps(here)[-1] == pytest.approx(30)


def test_obeys_retry_after_of_a_503() -> None:
    with line() as here:
        here.fail_next(replace(Reply(503), headers={"Retry-After": "45"}))
        here.get()
        assert gaps(here) == [pytest.approx(45)]


def test_a_wait_that_is_too_long_is_named_in_the_error() -> None:
    with line() as here:
        here.fail_next(slow_down("3600"))
        assert "; the server asks to wait at least 900 s. " in str(here.failure())
        assert here.clock.monotonic() <= 120


@pytest.mark.parametrize("status", [408, 425, 520, 529])
def test_retries_what_gateways_answer_in_passing(status: int) -> None:
    with line() as here:
        here.fail_next(Reply(status))
        here.simulator.fail_next(SIGN_IN, Reply(status))
        assert here.get()


def test_two_403_after_an_answer_are_no_missing_role() -> None:
    with line() as here:
        here.get()
        here.fail_next(*[refused(403, "Unauthorized")] * 2)
        assert here.get()


def test_lasting_403_after_an_answer_are_a_refusal() -> None:
    with line() as here:
        here.get()
        here.fail_next(*[refused(403, "Unauthorized")] * 20)
        assert "lacks the role" in str(here.failure())
        assert here.traffic.by_status[403] == 8  # four attempts, each with a new access token


def test_new_page_tokens_over_empty_pages_end() -> None:
    with line() as here:
        pages = [
            {"payload": {"orders": [], "pagination": {"nextToken": str(n)}}} for n in range(999)
        ]
        here.fail_next(*[Reply(200, body=json.dumps(page).encode()) for page in pages])
        with pytest.raises(RequestFailedError, match="200 pages in a row without a new row"):
            list(here.client.pages(REQUEST))


def test_new_page_tokens_over_the_same_page_end() -> None:
    with line() as here:
        row = {"purchaseOrderNumber": "A"}
        pages = [
            {"payload": {"orders": [row], "pagination": {"nextToken": str(n)}}} for n in range(999)
        ]
        here.fail_next(*[Reply(200, body=json.dumps(page).encode()) for page in pages])
        with pytest.raises(RequestFailedError, match="200 pages in a row without a new row"):
            list(here.client.pages(REQUEST))


@pytest.mark.parametrize("value", ["soon", "-5", "Mon, 01 Jun 2026 13:00:00 GMT", "1e9"])
def test_ignores_a_retry_after_that_is_not_a_number_of_seconds(value: str) -> None:
    with line() as here:
        here.fail_next(slow_down(value))
        here.get()
        (gap,) = gaps(here)
        assert gap <= 1 + 1 / 6


def test_a_full_load_gets_no_429() -> None:
    with line(Options(limits=True)) as here:
        for _ in range(100):
            here.get()
        assert (here.traffic.refused, here.traffic.requests) == (0, 100)
        # Nine requests without a pause, then ten a second.
        assert here.clock.monotonic() <= 91 / (0.98 * 10)


def test_every_attempt_takes_a_token_of_the_bucket() -> None:
    plans = {OPERATION: UsagePlan(rate=0.001, burst=2)}
    with line(plans=plans) as here:
        here.fail_next(refused(403, "Unauthorized"))
        here.get()
        # The second attempt had no other reason to wait.
        assert gaps(here) == [pytest.approx(1000 / 0.99)]


def drained_pace(here: Line) -> float:
    """Return how many requests a second are sent once the burst is used up."""
    for _ in range(40):
        here.get()
    times = [call.at for call in here.calls[20:]]
    return (len(times) - 1) / (times[-1] - times[0])


@pytest.mark.parametrize("rate", [1.0, 50.0])
def test_follows_an_announced_rate_down_and_up(rate: float) -> None:
    with line(Options(limits=False, announced_rates={OPERATION: rate})) as here:
        assert 0.98 * rate <= drained_pace(here) <= rate


@pytest.mark.parametrize(("announced", "expected"), [(50.0, 2), (1.0, 1)])
def test_an_announced_rate_lowers_a_configured_plan_and_never_raises_it(
    announced: float, expected: float
) -> None:
    options = Options(limits=False, announced_rates={OPERATION: announced})
    with line(options, plans={OPERATION: UsagePlan(2, 10, fixed=True)}) as here:
        assert 0.98 * expected <= drained_pace(here) <= expected


@pytest.mark.parametrize(
    "value", ["", "fast", "0", "-1", "0.0", "nan", "inf", "1e-300", "0.0001", "0x10", "0.5, 0.5"]
)
def test_ignores_an_announced_rate_that_is_not_a_positive_number(value: str) -> None:
    body = b'{"payload": {"orders": []}}'
    with line() as here:
        here.fail_next(*[Reply(200, {"x-amzn-RateLimit-Limit": value}, body)] * 40)
        assert 0.98 * 10 <= drained_pace(here) <= 10


# ---- messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 429, 503])
def test_no_message_shows_an_e_mail_address(caplog: pytest.LogCaptureFixture, status: int) -> None:
    reply = refused(status, "Oops", "No buyer <jane.doe+1@example.co.uk>, or 'j@d.de', is known")
    with caplog.at_level(logging.DEBUG), line() as here:
        here.fail_next(*[reply] * 8)
        shown = f"{here.failure()} {caplog.text}"
        assert "No buyer <(e-mail)>, or '(e-mail)', is known" in shown
        assert not re.search(r"jane|example|j@|d\.de", shown)


# Wherever a message is cut, no part of a token remains.
@pytest.mark.parametrize("before", [0, 250, 270])
def test_no_message_shows_the_access_token(before: int) -> None:
    with line() as here:
        token = here.amazon.access_token()
        here.fail_next(refused(400, "InvalidInput", f"{'x' * before} {token} was not expected."))
        assert token[:8] not in here.failure().message


# ---- requests, counted ---------------------------------------------------------------------------


def test_counts_requests_and_the_retries_among_them(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    traffic.sent(again=False)
    traffic.sent(again=True)
    assert (traffic.requests, traffic.retries) == (2, 1)


def test_counts_requests_of_many_threads(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: traffic.sent(again=number % 2 == 0), range(2_000)))
    assert (traffic.requests, traffic.retries) == (2_000, 1_000)


def test_requests_that_wait_at_once_wait_once(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    with traffic.waiting(10):
        clock.advance(seconds=2)
        with traffic.waiting(10):
            clock.advance(seconds=3)
        clock.advance(seconds=4)
    clock.advance(seconds=5)
    assert (traffic.waited, traffic.rate) == (9, 10)


def test_a_wait_that_goes_on_counts_already(clock: FakeClock) -> None:
    traffic = Traffic(clock)
    with traffic.waiting(10):
        clock.advance(seconds=2)
        assert traffic.waited == 2
