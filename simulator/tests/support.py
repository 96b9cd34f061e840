"""A clock, a client of both APIs, and a way to start simulators with them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import requests

from simulator import Options, Simulator, World
from simulator.faults import Faults

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
NO_LIMITS = Options(limits=False)

ORDERS = "/vendor/orders/v1/purchaseOrders"
STATUSES = "/vendor/orders/v1/purchaseOrdersStatus"
SHIPMENTS = "/vendor/shipping/v1/shipments"
REPORTS = "/reports/2025-06-09"

TIMEOUT = 60
"""Seconds until a test gives up on a reply; a busy machine never needs as many."""


class Clock:
    """A wall clock and a monotonic clock that advance only when a test sets them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Client:
    """Signs in to both APIs of a simulator, and sends requests to them."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.http = requests.Session()
        self.http.trust_env = False  # a proxy of the environment would not find loopback
        self.tokens = {api: self.sign_in(api) for api in ("sp_api", "business_api")}

    def form(self, api: str) -> dict[str, str]:
        """Return the fields of a valid token request."""
        config = self.simulator.config()
        names = ("client_id", "client_secret", "refresh_token")
        return {"grant_type": "refresh_token", **{n: config[f"{api}_{n}"] for n in names}}

    def post_token(self, form: dict[str, str]) -> requests.Response:
        return self.http.post(f"{self.simulator.url}/auth/o2/token", data=form, timeout=TIMEOUT)

    def sign_in(self, api: str) -> str:
        """Return a new access token."""
        reply = self.post_token(self.form(api)).json()
        assert reply["token_type"] == "bearer"  # noqa: S105
        return str(reply["access_token"])

    def get(self, path: str, /, api: str = "sp_api", **query: object) -> requests.Response:
        headers = {"x-amz-access-token": self.tokens[api], "User-Agent": "test/1"}
        parameters = {name: str(value) for name, value in query.items()}
        url = self.simulator.url + path
        return self.http.get(url, params=parameters, headers=headers, timeout=TIMEOUT)

    def post(
        self, path: str, body: object, api: str = "business_api", kind: str = "application/json"
    ) -> requests.Response:
        """Post JSON, or bytes as they are."""
        headers = {
            "x-amz-access-token": self.tokens[api],
            "User-Agent": "test/1",
            "Content-Type": kind,
        }
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(
            self.simulator.url + path, data=data, headers=headers, timeout=TIMEOUT
        )

    def control(self, method: str, name: str, **query: object) -> requests.Response:
        """Call a control endpoint."""
        url = f"{self.simulator.url}/_simulator/{name}"
        parameters = {name: str(value) for name, value in query.items()}
        return self.http.request(method, url, params=parameters, timeout=TIMEOUT)

    def pages(self, path: str, **query: object) -> Iterator[dict[str, Any]]:
        """Yield the payload of every page of a vendor list."""
        token: dict[str, object] = {}
        while True:
            reply = self.get(path, "sp_api", **query, **token)
            assert reply.status_code == 200, reply.text
            payload = reply.json(parse_float=Decimal)["payload"]
            yield payload
            if "pagination" not in payload:
                return
            token = {"nextToken": payload["pagination"]["nextToken"]}

    def orders(self, **query: object) -> list[dict[str, Any]]:
        """Return the rows of a getPurchaseOrders list."""
        return [row for page in self.pages(ORDERS, **query) for row in page["orders"]]

    def all_orders(self, family: str, days: int = 171) -> list[dict[str, Any]]:
        """Return the rows of adjoining windows over many days."""
        found = []
        end = self.simulator.world.now() - timedelta(minutes=2)
        for start in range(0, days, 6):
            after = end - timedelta(days=start + 6, milliseconds=1)
            found += self.orders(**window(after, end - timedelta(days=start), family))
        return found

    def reports(self, number: str, region: str = "US", **query: object) -> requests.Response:
        """Request the order reports of a purchase order number."""
        path = f"{REPORTS}/purchaseOrders/{quote(number, safe='')}/orderReports"
        return self.get(path, "business_api", region=region, **query)

    def business_rows(self, path: str, array: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """Return the rows of every page of an Amazon Business list."""
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self.get(path, "business_api", **query, **token).json(parse_float=Decimal)
            found += page[array]
            if page.get("nextPageToken") is None:
                return found
            token = {"nextPageToken": page["nextPageToken"]}


class Simulators:
    """Starts simulators that share a clock, each with a client."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._open = ExitStack()

    def world(self, **traits: Any) -> World:
        """Return a small world without quirks, of random figures, unless options say otherwise."""
        usual: dict[str, Any] = {
            "orders": 200,
            "quirks": False,
            "plausible": False,
            "now": self.clock.now,
        }
        return World(**usual | traits)

    def start(
        self, world: World | None = None, options: Options = NO_LIMITS, *faults: Faults
    ) -> Client:
        """Start a simulator, and return a client that is signed in."""
        simulator = self._open.enter_context(
            Simulator(
                world or self.world(),
                options,
                monotonic=self.clock.monotonic,
                faults=faults,
            )
        )
        client = Client(simulator)
        self._open.callback(client.http.close)
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()


def window(after: datetime, before: datetime, family: str = "created") -> dict[str, str]:
    """Return the two bounds of a vendor list."""
    return {f"{family}After": after.isoformat(), f"{family}Before": before.isoformat()}


def order_dates(start: datetime, end: datetime) -> dict[str, str]:
    """Return the two bounds of an Amazon Business list."""
    return {"orderStartDate": start.isoformat(), "orderEndDate": end.isoformat()}


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def error_of(reply: requests.Response) -> tuple[int, str]:
    """Return the status and the error code of a refusal."""
    return reply.status_code, reply.json()["errors"][0]["code"]
