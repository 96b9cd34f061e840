"""Every request ends in an answer or in one message; what is tried again, how often, how soon."""

from __future__ import annotations

import gzip
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import pytest
import requests

from simulator import Cut, Hang, Options, Reply, Reset, Simulator, World
from tap_amazon_business.auth import Credentials, LoginWithAmazon
from tap_amazon_business.connection import Connection, Request, new_session
from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError
from tap_amazon_business.limits import PUBLISHED_PLANS, Limiter, UsagePlan
from tap_amazon_business.responses import judge
from tap_amazon_business.retry import waits
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from aiohttp import web

    from simulator import Call, Fault, OperationStats
    from simulator.faults import Serve

LOGGER = logging.getLogger("tests.connection")
USER_AGENT = "tests/1 (Language=Python/3)"
OPERATION = "getPurchaseOrders"
SIGN_IN = "token"  # the simulator's name of the operation
ROLE = "'Amazon Fulfillment'"
REQUEST = Request(
    OPERATION,
    "/vendor/orders/v1/purchaseOrders",
    {
        "createdAfter": "2026-05-25T00:00:00Z",
        "createdBefore": "2026-05-31T00:00:00Z",
        "limit": "1",
    },
    about="created in May",
    role=ROLE,
)
FREE = Options(limits=False)
HTML = b"<html><body>Service Unavailable</body></html>"
# The longest waits after each try but the last.
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
    """A simulator and a connection to it, by the same clock."""

    simulator: Simulator
    clock: FakeClock
    amazon: LoginWithAmazon
    connection: Connection

    def fail_next(self, *faults: Fault) -> None:
        self.simulator.fail_next(OPERATION, *faults)

    def get(self, request: Request = REQUEST) -> dict[str, Any]:
        return self.connection.get(request)

    def failure(self, request: Request = REQUEST) -> RequestFailedError:
        with pytest.raises(RequestFailedError) as caught:
            self.connection.get(request)
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
    plans: Mapping[str, UsagePlan] = PUBLISHED_PLANS,
    timeout: float = 30,
) -> Iterator[Line]:
    """Start a simulator with a few purchase orders, and connect to it."""
    clock = FakeClock()
    world = World(orders=0, quirks=False, now=clock.now)
    for day in (26, 27, 28):
        world.add_order(created=datetime(2026, 5, day, tzinfo=UTC), reports=0)
    with (
        Simulator(world, options, monotonic=clock.monotonic) as simulator,
        new_session(USER_AGENT, 16) as session,
    ):
        names = ("client_id", "client_secret", "refresh_token")
        parts = (simulator.config()[f"sp_api_{name}"] for name in names)
        amazon = LoginWithAmazon(
            Credentials("sp_api", *parts),
            url=simulator.url,
            session=session,
            timeout=timeout,
            clock=clock,
            logger=LOGGER,
        )
        connection = Connection(
            simulator.url,
            prefix="sp_api",
            authenticator=amazon,
            limiter=Limiter(plans, clock),
            session=session,
            timeout=timeout,
            parallel=16,
            clock=clock,
            logger=LOGGER,
        )
        yield Line(simulator, clock, amazon, connection)


# ---- an answer -----------------------------------------------------------------------------------


def test_an_answer_takes_one_request() -> None:
    with line() as here:
        assert len(here.get()["payload"]["orders"]) == 1
        assert here.traffic.requests == 1


def test_a_request_is_sent_with_its_parameters_and_no_others() -> None:
    with line() as here:
        here.get()
        (call,) = here.calls
        assert call.parameters == REQUEST.params


def test_the_next_page_is_asked_for_with_the_same_parameters_and_its_token() -> None:
    with line() as here:
        token = here.get()["payload"]["pagination"]["nextToken"]
        here.get(REQUEST.page("nextToken", token))
        assert here.calls[-1].parameters == {**REQUEST.params, "nextToken": token}


def test_numbers_with_a_point_come_as_the_text_that_was_sent() -> None:
    with line() as here:
        here.fail_next(Reply(200, body=b'{"payload": {"amount": 0.10, "most": 1e400, "count": 2}}'))
        assert here.get() == {"payload": {"amount": "0.10", "most": "1e400", "count": 2}}


def test_an_answer_with_errors_beside_its_payload_is_an_answer() -> None:
    orders = [{"purchaseOrderNumber": "1"}]
    answer = {"payload": {"orders": orders}, "errors": [{"code": "Warning", "message": "partial"}]}
    with line() as here:
        here.fail_next(Reply(200, body=json.dumps(answer).encode()))
        assert here.get() == answer


def test_an_empty_list_beside_errors_is_no_answer() -> None:
    # It looks like the end of a list, and is a list that could not be made.
    failed = b'{"payload": {"orders": []}, "errors": [{"code": "InternalFailure"}]}'
    with line() as here:
        here.fail_next(Reply(200, body=failed), Reply(200, body=b'{"payload": {"orders": [7]}}'))
        assert here.get() == {"payload": {"orders": [7]}}


def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(b'{"payload": {"orders": []}}')
    with line() as here:
        here.fail_next(Reply(200, {"Content-Encoding": "gzip"}, body))
        assert here.get() == {"payload": {"orders": []}}


def test_threads_may_share_a_connection() -> None:
    with line() as here, ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: here.get(), range(64)))
        assert all(answer["payload"]["orders"] for answer in answers)
        assert (here.traffic.requests, here.token_requests) == (64, 1)


# ---- what is sent along --------------------------------------------------------------------------


@dataclass
class Headers:
    """The proper answer; the request's headers are kept."""

    seen: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        self.seen.update({name.lower(): value for name, value in request.headers.items()})
        return await serve()


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a .netrc that holds a password for every host."""
    path = tmp_path / "netrc"
    path.write_text("default login jane password of-jane\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


@pytest.mark.parametrize("operation", [OPERATION, SIGN_IN])
def test_requests_name_the_program_in_their_user_agent(operation: str) -> None:
    with line() as here:
        here.simulator.fail_next(operation, headers := Headers())
        here.get()
        assert headers.seen["user-agent"] == USER_AGENT


def test_a_request_carries_the_access_token() -> None:
    with line() as here:
        here.fail_next(headers := Headers())
        here.get()
        assert headers.seen["x-amz-access-token"] == here.amazon.access_token()


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("operation", [OPERATION, SIGN_IN])
def test_a_netrc_file_adds_no_authorization(operation: str) -> None:
    with line() as here:
        # Without this, the test would prove nothing.
        assert requests.utils.get_netrc_auth(here.simulator.url) == ("jane", "of-jane")
        here.simulator.fail_next(operation, headers := Headers())
        here.get()
        assert headers.seen
        assert "authorization" not in headers.seen


def test_a_redirect_is_not_followed_with_an_access_token() -> None:
    with line() as here, line() as elsewhere:
        target = f"{elsewhere.simulator.url}{REQUEST.path}"
        here.fail_next(Reply(302, {"Location": target}))
        error = here.failure()
        assert "Redirects are not followed" in error.message
        assert "check sp_api_url" in error.message
        assert (here.traffic.requests, elsewhere.traffic.requests) == (1, 0)


# ---- what is tried again -------------------------------------------------------------------------

PASSING = [
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


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_trouble_that_passes_is_tried_again(fault: Fault) -> None:
    with line() as here:
        here.fail_next(fault)
        assert here.get()["payload"]["orders"]
        assert here.traffic.requests == 2


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_trouble_is_tried_eight_times(fault: Fault) -> None:
    with line() as here:
        here.fail_next(*[fault] * 100)
        assert "getPurchaseOrders (created in May) did not succeed in 8 tries" in str(
            here.failure()
        )
        assert here.traffic.requests == 8


def test_trouble_of_many_kinds_that_passes_late_is_waited_for() -> None:
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


def test_silence_is_tried_again_when_the_time_is_up() -> None:
    with line(timeout=0.5) as here:
        here.fail_next(Hang())
        assert here.get()["payload"]["orders"]
        assert here.traffic.requests >= 2


def test_trouble_that_does_not_pass_ends_within_a_bound() -> None:
    with line() as here:
        here.fail_next(*[Reply(503)] * 100)
        here.failure()
        assert here.clock.monotonic() <= LONGEST_WAITS


def test_waits_double_up_to_a_minute() -> None:
    longest = waits(jitter=lambda seconds: seconds)
    assert [*islice(longest, 9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_no_two_programs_that_failed_together_come_back_together() -> None:
    several = [[*islice(waits(), 7)] for _ in range(5)]
    assert len({tuple(waits_) for waits_ in several}) == 5


def test_what_did_not_succeed_says_what_came_last_and_what_to_do() -> None:
    with line() as here:
        here.fail_next(*[Reply(500)] * 7, refused(503, "ServiceUnavailable", "Come back."))
        error = here.failure()
        assert error.status == 503
        assert "HTTP 503 ServiceUnavailable: Come back. [x-amzn-RequestId the-id]" in error.message
        assert "sp_api_url" in error.message


def test_a_host_that_does_not_answer_is_named() -> None:
    with line() as here:
        here.fail_next(*[Reset()] * 8)
        error = here.failure()
        assert error.status is None
        assert f"no answer from {here.simulator.url} (ConnectionError)" in error.message


def test_every_try_is_logged_with_the_wait_that_follows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, LOGGER.name), line() as here:
        here.fail_next(refused(503, "ServiceUnavailable"), Reset())
        here.get()
        first, second = [record.getMessage() for record in caplog.records]
        assert "getPurchaseOrders (created in May): HTTP 503 ServiceUnavailable" in first
        assert f"try 1 of 8, next in {here.clock.slept[0]:.1f} s" in first
        assert f"try 2 of 8, next in {here.clock.slept[1]:.1f} s" in second


# ---- what is not tried again ---------------------------------------------------------------------


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
def test_a_refusal_is_final(status: int, code: str) -> None:
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
def test_a_refusal_without_a_word_of_the_api_is_final(body: bytes) -> None:
    with line() as here:
        here.fail_next(Reply(404, {"Content-Type": "text/html; charset=utf-8"}, body))
        assert "HTTP 404: the body is no answer of this API (text/html)" in here.failure().message
        assert here.traffic.requests == 1


def test_a_range_that_the_api_refuses_leads_to_the_settings() -> None:
    with line() as here:
        error = here.failure(
            replace(REQUEST, params={**REQUEST.params, "createdAfter": "2026-05-01T00:00:00Z"})
        )
        assert error.status == 400
        assert "Check start_date and end_date" in error.message


def test_another_request_may_succeed_after_a_refusal() -> None:
    with line() as here:
        here.fail_next(refused(400, "InvalidInput"))
        here.failure()
        assert here.get()["payload"]["orders"]


# ---- access tokens -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_renewed_once_without_a_wait(status: int) -> None:
    with line() as here:
        here.fail_next(refused(status, "Unauthorized"))
        assert here.get()["payload"]["orders"]
        assert (here.traffic.requests, here.token_requests, here.clock.slept) == (2, 2, [])


def test_revoked_tokens_are_renewed() -> None:
    with line() as here:
        here.get()
        here.simulator.revoke_tokens()
        assert here.get()["payload"]["orders"]
        assert (here.traffic.requests, here.token_requests) == (3, 2)


def test_threads_renew_a_revoked_token_together() -> None:
    with line() as here, ThreadPoolExecutor(16) as threads:
        here.get()
        here.simulator.revoke_tokens()
        answers = list(threads.map(lambda _: here.get(), range(32)))
        assert all(answer["payload"]["orders"] for answer in answers)
        assert here.token_requests == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_fresh_token_that_is_refused_too_is_final(status: int) -> None:
    with line() as here:
        here.fail_next(*[refused(status, "Unauthorized")] * 100)
        assert here.failure().status == status
        assert (here.traffic.requests, here.token_requests) == (2, 2)


def test_a_missing_role_is_named_with_the_request_id() -> None:
    with line(Options(limits=False, lacking_roles=frozenset({OPERATION}))) as here:
        message = here.failure().message
        assert f"sp_api_client_id lacks the role {ROLE}" in message
        assert "sp_api_refresh_token" in message
        assert "HTTP 403 Unauthorized" in message
        assert re.search(r"\[x-amzn-RequestId [0-9a-f]{8}-0000-4000-", message)


def test_a_missing_role_is_told_without_any_token(caplog: pytest.LogCaptureFixture) -> None:
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


def test_trouble_after_a_renewal_is_still_tried_again() -> None:
    with line() as here:
        here.fail_next(refused(403, "Unauthorized"), Reply(503), Reply(503))
        assert here.get()["payload"]["orders"]
        assert here.traffic.requests == 4


def test_a_token_does_not_expire_while_its_request_waits_for_its_turn() -> None:
    # One request every twenty seconds, and tokens that last ten.
    plans = {OPERATION: UsagePlan(rate=0.05, burst=1)}
    with line(Options(limits=False, token_lifetime=10), plans=plans) as here:
        for _ in range(3):
            assert here.get()["payload"]["orders"]
        assert here.traffic.requests == 3


def test_refused_credentials_end_a_request_before_it_is_sent() -> None:
    with line() as here:
        here.simulator.fail_next(SIGN_IN, Reply(400, body=b'{"error":"invalid_grant"}'))
        assert "check sp_api_refresh_token" in here.failure().message
        assert here.traffic.requests == 0


# ---- page tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_page_that_is_refused_in_passing_is_had(times: int) -> None:
    with line() as here:
        token = here.get()["payload"]["pagination"]["nextToken"]
        here.fail_next(*[refused(400, "InvalidInput")] * times)
        assert here.get(REQUEST.page("nextToken", token))["payload"]["orders"]
        assert here.traffic.requests == 1 + times + 1


def test_a_page_that_is_refused_four_times_is_given_up() -> None:
    with line() as here:
        with pytest.raises(PageTokenRefusedError) as caught:
            here.get(REQUEST.page("nextToken", "nobody-gave-this"))
        assert "the next page was refused 4 times: HTTP 400 InvalidInput" in caught.value.message
        assert caught.value.status == 400
        assert here.traffic.requests == 4


@pytest.mark.parametrize("reply", [refused(400, "InvalidRequest"), refused(404, "InvalidInput")])
def test_a_page_that_is_refused_for_another_reason_is_given_up_at_once(reply: Reply) -> None:
    with line() as here:
        here.fail_next(reply)
        error = here.failure(REQUEST.page("nextToken", "any"))
        assert not isinstance(error, PageTokenRefusedError)
        assert here.traffic.requests == 1


# ---- the pace ------------------------------------------------------------------------------------


def gaps(here: Line) -> list[float]:
    """Return the seconds between one request and the next."""
    times = [call.at for call in here.calls]
    return [later - earlier for earlier, later in pairwise(times)]


def test_a_429_slows_down_and_waits_for_a_token() -> None:
    with line() as here:
        here.fail_next(slow_down())
        here.get()
        # The bucket is empty, and fills at seven tenths of its ten a second; the back-off after a
        # first try is a second at most.
        (gap,) = gaps(here)
        assert 1 / 7 <= gap <= 1 + 1 / 6


@pytest.mark.parametrize("seconds", [2, 37, 600])
def test_retry_after_is_obeyed_to_the_second(seconds: int) -> None:
    with line() as here:
        here.fail_next(slow_down(str(seconds)))
        here.get()
        assert gaps(here) == [pytest.approx(seconds)]


def test_retry_after_holds_back_other_requests_too() -> None:
    with line() as here:
        here.fail_next(*[slow_down("30")] * 8)
        here.failure()
        # The last refusal was not waited for: the request had failed. The next one comes now.
        here.get()
        assert gaps(here)[-1] == pytest.approx(30)


def test_retry_after_is_obeyed_where_the_service_is_unavailable() -> None:
    with line() as here:
        here.fail_next(replace(Reply(503), headers={"Retry-After": "45"}))
        here.get()
        assert gaps(here) == [pytest.approx(45)]


def test_an_absurd_retry_after_is_cut_to_a_quarter_of_an_hour() -> None:
    with line() as here:
        here.fail_next(slow_down("99999999"))
        here.get()
        assert gaps(here) == [pytest.approx(900)]


@pytest.mark.parametrize("value", ["soon", "-5", "Mon, 01 Jun 2026 13:00:00 GMT", "1e9"])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(value: str) -> None:
    with line() as here:
        here.fail_next(slow_down(value))
        here.get()
        (gap,) = gaps(here)
        assert gap <= 1 + 1 / 6


def test_a_retry_after_in_digits_that_are_none_of_asciis_is_ignored() -> None:
    # A header is read as Latin-1, which has a superscript two.
    assert judge(429, {"retry-after": "²"}, b"", paging=False).retry_after == 0


def test_a_full_load_never_meets_a_429() -> None:
    with line(Options(limits=True)) as here:
        for _ in range(100):
            here.get()
        assert (here.traffic.refused, here.traffic.requests) == (0, 100)
        # Nine at once, then ten a second.
        assert here.clock.monotonic() <= 91 / (0.98 * 10)


def test_every_try_takes_a_token() -> None:
    plans = {OPERATION: UsagePlan(rate=0.001, burst=2)}
    with line(plans=plans) as here:
        here.fail_next(refused(403, "Unauthorized"))
        here.get()
        # The second try had to wait for the next token; it had no other reason to wait.
        assert gaps(here) == [pytest.approx(1000 / 0.99)]


def drained_pace(here: Line) -> float:
    """Return how many requests a second leave when the burst is gone."""
    for _ in range(40):
        here.get()
    times = [call.at for call in here.calls[20:]]
    return (len(times) - 1) / (times[-1] - times[0])


@pytest.mark.parametrize("rate", [1.0, 50.0])
def test_an_announced_rate_is_followed_down_and_up(rate: float) -> None:
    with line(Options(limits=False, announced_rates={OPERATION: rate})) as here:
        assert 0.98 * rate <= drained_pace(here) <= rate


@pytest.mark.parametrize(("announced", "expected"), [(50.0, 2), (1.0, 1)])
def test_an_announced_rate_lowers_a_plan_of_the_users_own_and_never_raises_it(
    announced: float, expected: float
) -> None:
    options = Options(limits=False, announced_rates={OPERATION: announced})
    with line(options, plans={OPERATION: UsagePlan(2, 10, fixed=True)}) as here:
        assert 0.98 * expected <= drained_pace(here) <= expected


@pytest.mark.parametrize("value", ["", "fast", "0", "-1", "0.0", "nan", "inf"])
def test_an_announced_rate_that_is_none_is_ignored(value: str) -> None:
    body = b'{"payload": {"orders": []}}'
    with line() as here:
        here.fail_next(*[Reply(200, {"x-amzn-RateLimit-Limit": value}, body)] * 40)
        assert 0.98 * 10 <= drained_pace(here) <= 10


# ---- messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 429, 503])
def test_no_message_shows_an_e_mail_address_even_if_amazons_does(
    caplog: pytest.LogCaptureFixture, status: int
) -> None:
    reply = refused(status, "Oops", "No buyer <jane.doe+1@example.co.uk>, or 'j@d.de', is known")
    with caplog.at_level(logging.DEBUG), line() as here:
        here.fail_next(*[reply] * 8)
        shown = f"{here.failure()} {caplog.text}"
        assert "No buyer <(e-mail)>, or '(e-mail)', is known" in shown
        assert not re.search(r"jane|example|j@|d\.de", shown)


# Wherever a message is cut short, no part of a token is left of it.
@pytest.mark.parametrize("before", [0, 250, 270])
def test_no_message_shows_the_access_token_even_if_amazons_does(before: int) -> None:
    with line() as here:
        token = here.amazon.access_token()
        here.fail_next(refused(400, "InvalidInput", f"{'x' * before} {token} was not expected."))
        assert token[:8] not in here.failure().message


@pytest.mark.parametrize("part", ["code", "message", "details"])
def test_a_message_stays_short_and_on_one_line_however_much_amazon_says(part: str) -> None:
    error = {"code": "InvalidInput", "message": "", "details": "", part: "line\n" * 10_000}
    with line() as here:
        here.fail_next(Reply(400, body=json.dumps({"errors": [error]}).encode()))
        message = here.failure().message
        assert "line line" in message
        assert "\n" not in message
        assert len(message) < 1000


@pytest.mark.parametrize(
    "errors", ["text", {}, [], ["text"], [None], [[]], [{}], [{"code": None, "message": ["odd"]}]]
)
def test_errors_of_an_odd_shape_are_told_as_well_as_can_be(errors: object) -> None:
    with line() as here:
        here.fail_next(Reply(404, body=json.dumps({"errors": errors}).encode()))
        assert "was refused: HTTP 404" in here.failure().message


def test_a_page_token_is_not_part_of_a_requests_name() -> None:
    assert str(REQUEST.page("nextToken", "a-token")) == "getPurchaseOrders (created in May)"
