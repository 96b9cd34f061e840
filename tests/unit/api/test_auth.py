"""Access tokens are requested once, renewed in time, and never shown."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pytest
import requests

from simulator import Cut, Hang, Options, Reply, Reset, Simulator, World
from tap_amazon_business.api.auth import Credentials, LoginWithAmazon
from tap_amazon_business.api.retry import Outage, Retrier
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.clock import BoundedClock
from tap_amazon_business.errors import RequestFailedError
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator import Fault

T = TypeVar("T")

LOGGER = logging.getLogger("tests.unit.auth")
SIGN_IN = "token"  # the simulator's name of the operation
HTML = b"<html><body>Service Unavailable</body></html>"
THREADS = 16
# The longest waits after each attempt but the last.
LONGEST_WAITS = 1 + 2 + 4 + 8 + 16 + 32 + 60


@dataclass
class Login:
    """A simulator, and a client that signs in there."""

    simulator: Simulator
    clock: FakeClock
    amazon: LoginWithAmazon
    credentials: Credentials

    @property
    def requests(self) -> int:
        return sum(self.simulator.stats().token_requests.values())

    def fail_next(self, *faults: Fault) -> None:
        self.simulator.fail_next(SIGN_IN, *faults)

    def accepts(self, token: str) -> bool:
        """Return whether the API accepts an access token at this moment."""
        reply = requests.get(
            f"{self.simulator.url}/vendor/orders/v1/purchaseOrders/none",
            headers={"x-amz-access-token": token},
            timeout=30,
        )
        # There is no such order: only a valid token gets this answer.
        assert reply.status_code in {403, 404}
        return reply.status_code == 404


def transport(timeout: float = 30) -> Transport:
    return Transport(
        user_agent="tests/1 (Language=Python/3)", connections=THREADS, request_timeout=timeout
    )


@contextmanager
def login(
    *, lifetime: float = 3600, latency: float = 0, timeout: float = 30, wrong: str = ""
) -> Iterator[Login]:
    """Start a simulator and sign in there, with one part of the credentials wrong."""
    clock = FakeClock()
    options = Options(limits=False, token_lifetime=lifetime, latency=latency)
    world = World(orders=1, quirks=False, now=clock.now)
    with Simulator(world, options, monotonic=clock.monotonic) as simulator:
        names = ("client_id", "client_secret", "refresh_token")
        right = (simulator.config()[f"sp_api_{name}"] for name in names)
        parts = (
            "not-this" if name == wrong else part for name, part in zip(names, right, strict=True)
        )
        credentials = Credentials("sp_api", *parts)
        amazon = LoginWithAmazon(
            credentials,
            lwa_url=simulator.url,
            transport=transport(timeout),
            retrier=Retrier(Outage(clock), clock, LOGGER),
            clock=BoundedClock(clock),
        )
        yield Login(simulator, clock, amazon, credentials)


def at_once(act: Callable[[], T]) -> list[T]:
    """Call a function on many threads at the same moment."""
    start = threading.Barrier(THREADS)

    def run() -> T:
        start.wait(timeout=30)
        return act()

    with ThreadPoolExecutor(THREADS) as threads:
        running = [threads.submit(run) for _ in range(THREADS)]
        return [thread.result(timeout=60) for thread in running]


def refusal(amazon: LoginWithAmazon) -> RequestFailedError:
    with pytest.raises(RequestFailedError) as caught:
        amazon.access_token()
    return caught.value


# ---- requested once ------------------------------------------------------------------------------


def test_the_api_accepts_the_access_token() -> None:
    with login() as here:
        assert here.accepts(here.amazon.access_token())


def test_requests_no_token_before_one_is_needed() -> None:
    with login() as here:
        assert here.requests == 0


def test_threads_share_one_token_request() -> None:
    # Slow enough for every thread to ask before the first has its response.
    with login(latency=0.05) as here:
        assert len(set(at_once(here.amazon.access_token))) == 1
        assert here.requests == 1


def test_accepts_a_trailing_slash_in_the_url() -> None:
    with login() as here:
        amazon = LoginWithAmazon(
            here.credentials,
            lwa_url=here.simulator.url + "/",
            transport=transport(),
            retrier=Retrier(Outage(here.clock), here.clock, LOGGER),
            clock=BoundedClock(here.clock),
        )
        assert here.accepts(amazon.access_token())


# ---- renewed in time -----------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", [3600, 10])
def test_never_hands_out_a_token_that_is_about_to_expire(lifetime: float) -> None:
    with login(lifetime=lifetime) as here:
        for _ in range(100):
            token = here.amazon.access_token()
            here.clock.advance(seconds=0.04 * lifetime)
            assert here.accepts(token)


@pytest.mark.parametrize("lifetime", [3600, 10])
def test_uses_a_token_for_most_of_its_lifetime(lifetime: float) -> None:
    with login(lifetime=lifetime) as here:
        for _ in range(500):
            here.amazon.access_token()
            here.clock.advance(seconds=0.01 * lifetime)
        # Five lifetimes take five tokens, and one more as none is used to its last second.
        assert here.requests == 6


@pytest.mark.parametrize(
    "expires_in",
    [
        b"",
        b',"expires_in":null',
        b',"expires_in":"soon"',
        b',"expires_in":-1',
        b',"expires_in":0',
        b',"expires_in":1' + b"0" * 400,
    ],
)
def test_uses_a_token_of_unknown_lifetime_for_an_hour(expires_in: bytes) -> None:
    with login() as here:
        here.fail_next(Reply(200, body=b'{"access_token":"Atza|unknown"%b}' % expires_in))
        tokens = []
        for minutes in (0, 55, 5):
            here.clock.advance(minutes=minutes)
            tokens.append(here.amazon.access_token() == "Atza|unknown")
        assert tokens == [True, True, False]


# ---- a refused token -----------------------------------------------------------------------------


def test_replaces_a_discarded_token() -> None:
    with login() as here:
        refused = here.amazon.access_token()
        here.simulator.revoke_tokens()
        here.amazon.discard(refused)
        assert here.accepts(here.amazon.access_token())


def test_keeps_the_new_token_when_the_old_one_is_discarded_again() -> None:
    with login() as here:
        refused = here.amazon.access_token()
        here.amazon.discard(refused)
        renewed = here.amazon.access_token()
        # As by another thread, whose request was refused at the same time.
        here.amazon.discard(refused)
        assert here.amazon.access_token() == renewed
        assert here.requests == 2


def test_threads_share_the_request_for_a_new_token_after_a_refusal() -> None:
    with login(latency=0.05) as here:
        refused = here.amazon.access_token()

        def renew() -> str:
            here.amazon.discard(refused)
            return here.amazon.access_token()

        renewed = set(at_once(renew))
        assert len(renewed) == 1
        assert refused not in renewed
        assert here.requests == 2


def test_discarding_an_unknown_token_changes_nothing() -> None:
    with login() as here:
        here.amazon.discard("never handed out")
        assert here.accepts(here.amazon.access_token())


# ---- refused credentials -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "status", "advice"),
    [
        ("client_id", 401, "check sp_api_client_id and sp_api_client_secret"),
        ("client_secret", 401, "check sp_api_client_id and sp_api_client_secret"),
        ("refresh_token", 400, "check sp_api_refresh_token"),
    ],
)
def test_names_the_settings_of_refused_credentials(part: str, status: int, advice: str) -> None:
    with login(wrong=part) as here:
        error = refusal(here.amazon)
        assert error.status == status
        assert "refused the credentials in sp_api_*" in error.message
        assert advice in error.message


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (400, b'{"error":"unauthorized_client"}', "issued to the application of sp_api_client_id"),
        (400, b'{"error":"something_new"}', "check sp_api_client_id, sp_api_client_secret and"),
        (403, HTML, "check sp_api_client_id, sp_api_client_secret and"),
        (401, b"", "check sp_api_client_id, sp_api_client_secret and"),
    ],
)
def test_says_what_to_check_after_a_refusal(status: int, body: bytes, advice: str) -> None:
    with login() as here:
        here.fail_next(Reply(status, body=body))
        assert advice in refusal(here.amazon).message


def test_does_not_retry_refused_credentials() -> None:
    with login(wrong="client_secret") as here:
        refusal(here.amazon)
        assert (here.requests, here.clock.slept) == (1, [])


def test_repeats_a_refusal_to_later_callers_without_a_request() -> None:
    with login(wrong="client_secret") as here:
        first = refusal(here.amazon)
        assert refusal(here.amazon).message == first.message
        assert here.requests == 1


def test_threads_share_one_refusal() -> None:
    with login(latency=0.05, wrong="client_secret") as here:
        assert len(at_once(lambda: refusal(here.amazon))) == THREADS
        assert here.requests == 1


# ---- transient failures --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Reply(500),
        Reply(502, body=HTML),
        Reply(503),
        Reply(504),
        Reply(429),
        Reply(500, body=b'{"error":"server_error"}'),
        Reply(400, body=b'{"error":"temporarily_unavailable"}'),
        Reply(400, body=b'{"error":"server_error"}'),
        Reply(200),
        Reply(200, {"Content-Type": "text/html"}, HTML),
        Reply(200, body=b'{"access_token": "Atza|trunc'),
        Reply(200, body=b"[]"),
        Reply(200, body=b"{}"),
        Reply(200, body=b'{"access_token": null}'),
        Reply(200, body=b'{"access_token": ""}'),
        Reply(200, body=b'{"access_token": 7}'),
        Reply(200, body=b'{"access_token": ["x"]}'),
        Reply(200, body=b'{"access_token": "Atza\\u20ac"}'),
        Reply(200, body=b'{"access_token": "ab\\ncd"}'),
        Reply(200, body=b'{"access_token": " ab "}'),
        Reset(),
        Cut(),
    ],
    ids=str,
)
def test_retries_after_a_transient_failure(fault: Fault) -> None:
    with login() as here:
        here.fail_next(fault)
        assert here.accepts(here.amazon.access_token())
        assert here.requests == 2


def test_retries_after_a_reply_that_is_not_utf_8() -> None:
    with login() as here:
        here.fail_next(Reply(200, body=b'{"access_token": "\xff"}'))
        assert here.accepts(here.amazon.access_token())


def test_retries_after_a_timeout() -> None:
    with login(timeout=0.5) as here:
        here.fail_next(Hang())
        assert here.accepts(here.amazon.access_token())
        assert here.requests >= 2


def test_succeeds_at_the_eighth_attempt() -> None:
    with login() as here:
        here.fail_next(*[Reply(503)] * 7)
        assert here.accepts(here.amazon.access_token())
        assert (here.requests, len(here.clock.slept)) == (8, 7)


def test_gives_up_after_eight_attempts_and_two_minutes() -> None:
    with login() as here:
        here.fail_next(*[Reply(503)] * 100)
        error = refusal(here.amazon)
        assert "issued no access token for sp_api_* in 8 attempts: HTTP 503" in error.message
        assert "lwa_url" in error.message
        assert here.requests == 8
        assert here.clock.monotonic() <= LONGEST_WAITS


def test_gives_up_after_as_many_attempts_as_are_allowed() -> None:
    with login() as here:
        here.fail_next(*[Reply(503)] * 100)
        with pytest.raises(RequestFailedError, match=r"for sp_api_\* in one attempt: HTTP 503"):
            here.amazon.access_token(attempts=1)
        assert here.requests == 1
        assert here.clock.slept == []


def test_does_not_follow_a_redirect() -> None:
    # It would send the credentials to another host.
    with login() as here, login() as elsewhere:
        target = f"{elsewhere.simulator.url}/auth/o2/token"
        here.fail_next(*[Reply(307, {"Location": target})] * 100)
        refusal(here.amazon)
        assert elsewhere.requests == 0


# ---- nothing is shown ----------------------------------------------------------------------------


def test_no_repr_shows_a_secret() -> None:
    with login() as here:
        token = here.amazon.access_token()
        objects = (here.credentials, here.amazon, vars(here.amazon))
        shown = " ".join(f"{thing!r} {thing}" for thing in objects)
        own = here.credentials
        hidden = (own.client_id, own.client_secret, own.refresh_token, token)
        assert not [secret for secret in hidden if secret in shown]


@pytest.mark.parametrize("status", [400, 503])
def test_no_message_or_log_line_shows_a_secret(
    caplog: pytest.LogCaptureFixture, status: int
) -> None:
    with caplog.at_level(logging.DEBUG), login() as here:
        token = here.amazon.access_token()
        here.amazon.discard(token)
        hidden = [here.credentials.client_secret, here.credentials.refresh_token, token, "jane@"]
        # As if Amazon quoted all of them.
        description = f"jane@example.com {' '.join(hidden)}"
        body = json.dumps({"error": "invalid_grant", "error_description": description}).encode()
        here.fail_next(*[Reply(status, body=body)] * 8)
        error = refusal(here.amazon)
        shown = f"{error!r} {error} {caplog.text}"
        assert "invalid_grant" in shown
        assert not [secret for secret in hidden if secret in shown]


def test_logs_every_attempt_with_the_wait_that_follows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), login() as here:
        here.fail_next(Reply(503), Reset())
        here.amazon.access_token()
        first, second = [record.getMessage() for record in caplog.records]
        assert "Login with Amazon (sp_api): HTTP 503; attempt 1 of 8, retrying in" in first
        assert "127.0.0.1 broke (ConnectionResetError); attempt 2 of 8, retrying in" in second
        assert f"{here.clock.slept[1]:.1f} s" in second


def test_does_not_repeat_an_error_code_that_holds_a_secret() -> None:
    with login() as here:
        secret = here.credentials.refresh_token
        here.fail_next(Reply(400, body=json.dumps({"error": f"bad {secret}"}).encode()))
        assert secret not in refusal(here.amazon).message
