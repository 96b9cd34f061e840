"""The HTTP server: from a request on the wire to an operation, and back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from simulator.control import PREFIX, Control
from simulator.errors import INVALID_INPUT, ApiError, not_found, quota_exceeded, unauthorized
from simulator.faults import Fault, Faults
from simulator.limits import Limiter, Monotonic
from simulator.lwa import CONSENT_PAGES, LoginWithAmazon, TokenError
from simulator.operations import Operation, Request, Router
from simulator.options import Options
from simulator.stats import Call, Stats
from simulator.world import World

Sent = TypeVar("Sent", bound=web.StreamResponse)

TOKEN_PATH = "/auth/o2/token"  # noqa: S105
TOKEN_OPERATION = "token"  # noqa: S105
"""The name under which faults of the token endpoint are scripted."""

LONGEST_USER_AGENT = 500

_JSON = "application/json"


class Server:
    """Checks every request against the rules that all operations share.

    A request is counted, may be replaced by a fault, and takes a token from its bucket. Only
    then are its headers, access token, role and parameters checked.
    """

    def __init__(
        self,
        operations: Mapping[str, Operation],
        *,
        options: Options,
        login: LoginWithAmazon,
        limiter: Limiter,
        faults: Sequence[Faults],
        stats: Stats,
        control: Control,
        monotonic: Monotonic,
        world: World,
    ) -> None:
        self._router = Router(operations.values())
        self._options = options
        self._login = login
        self._limiter = limiter
        self._faults = faults
        self._stats = stats
        self._control = control
        self._monotonic = monotonic
        self._world = world
        self._served = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request; the `Date` header shows the world's time."""
        response = await self._answer(request)
        if not response.prepared:
            self._date(request, response)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path.startswith(PREFIX):
            return self._control.answer(request.method, path, dict(parse_qsl(query)))
        if path == TOKEN_PATH:
            return await self._token(request)
        if path in CONSENT_PAGES:
            return self._consent(path, dict(parse_qsl(query)))
        found = self._router.find(path)
        if found is None or found[0].method != request.method:
            return self._refusal("unknown", not_found(path))
        operation, argument = found
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        asked = Request(
            operation.name, argument, parameters, await request.read(), request.content_type
        )
        return await self._call(request, operation, asked)

    async def _call(
        self, raw: web.BaseRequest, operation: Operation, request: Request
    ) -> web.StreamResponse:
        arrived = self._monotonic()
        self._stats.arrived(operation.name, arrived)
        status = 0
        try:
            fault = self._fault(request)
            holder = self._login.holder(raw.headers.get("x-amz-access-token"))
            paid = self._limiter.take(operation.name, holder.name if holder else "nobody")

            async def serve() -> web.StreamResponse:
                if self._options.latency:
                    await asyncio.sleep(self._options.latency)
                # A fault may send the headers by itself.
                return self._date(raw, self._serve(raw, operation, request, paid=paid))

            if fault is None:
                response = await serve()
            else:
                self._stats.faults += 1
                response = await fault.answer(raw, serve)
            gone = raw.transport is None or raw.transport.is_closing()
            status = 0 if gone else response.status
            return response
        finally:
            traffic = self._stats.operations[operation.name]
            traffic.in_flight -= 1
            traffic.by_status[status] += 1
            self._stats.calls.append(
                Call(
                    operation.name,
                    request.argument,
                    request.parameters,
                    status,
                    arrived,
                    request.body,
                )
            )

    def _serve(
        self, raw: web.BaseRequest, operation: Operation, request: Request, *, paid: bool
    ) -> web.Response:
        traffic = self._stats.operations[operation.name]
        if not paid:
            traffic.refused += 1
            return self._refusal(operation.name, quota_exceeded())
        try:
            self._check_headers(raw, operation)
            for name in request.parameters:
                if name not in operation.parameters:
                    self._stats.unknown_parameters[operation.name, name] += 1
            with self._world.lock:
                self._world.settle()
                answer = operation.answer(self._heeded(request))
        except ApiError as error:
            same = error.code == INVALID_INPUT
            reported = operation.bad_parameter(error.details) if same else error
            return self._refusal(operation.name, reported)
        traffic.rows += answer.rows
        headers = {"Content-Type": _JSON, "x-amzn-RequestId": self._request_id()}
        rate = self._announced_rate(operation)
        if rate is not None:
            headers["x-amzn-RateLimit-Limit"] = str(float(rate))
        return web.Response(body=answer.body, headers=headers)

    def _heeded(self, request: Request) -> Request:
        """Return a request without the parameters that have no effect."""
        ignored = self._options.ignored_parameters.get(request.operation, frozenset())
        kept = {name: text for name, text in request.parameters.items() if name not in ignored}
        return replace(request, parameters=kept)

    def _check_headers(self, raw: web.BaseRequest, operation: Operation) -> None:
        if not 0 < len(raw.headers.get("User-Agent", "")) <= LONGEST_USER_AGENT:
            raise ApiError(400, "InvalidInput", "The user-agent header is missing or too long.")
        holder = self._login.holder(raw.headers.get("x-amz-access-token"))
        if holder is not operation.application:
            raise unauthorized("The access token you provided has expired.")
        if operation.name in self._options.missing_operations:
            raise not_found()
        if operation.name in self._options.lacking_roles:
            raise unauthorized("The application has no role for this operation.")

    def _refusal(self, operation: str, error: ApiError) -> web.Response:
        headers = {"Content-Type": _JSON, "x-amzn-RequestId": self._request_id()}
        if error.status != 429:
            self._stats.malformed[operation, error.status, error.code] += 1
        elif self._options.retry_after is not None:
            headers["Retry-After"] = f"{self._options.retry_after:g}"
        return web.Response(status=error.status, body=error.body(), headers=headers)

    def _announced_rate(self, operation: Operation) -> float | None:
        announced = self._options.announced_rates.get(operation.name)
        if announced is not None or not self._options.limits:
            return announced
        return self._options.rates.get(operation.name, operation.plan).rate

    def _fault(self, request: Request) -> Fault | None:
        """Return the fault of the first policy that has one."""
        decisions = (policy.decide(request) for policy in self._faults)
        return next((fault for fault in decisions if fault is not None), None)

    def _date(self, request: web.BaseRequest, response: Sent) -> Sent:
        """Set the `Date` header, unless there is one, and return the response."""
        seconds = self._options.lwa_clock_ahead if request.path == TOKEN_PATH else 0
        moment = self._world.now().astimezone(UTC) + timedelta(seconds=seconds)
        response.headers.setdefault("Date", format_datetime(moment, usegmt=True))
        return response

    def _request_id(self) -> str:
        self._served += 1
        return f"{self._served:08x}-0000-4000-8000-000000000000"

    def _consent(self, path: str, query: Mapping[str, str]) -> web.Response:
        location = self._login.consent(path, query)
        if location is None:
            return web.Response(status=400, text="This application cannot be authorized.")
        return web.Response(status=302, headers={"Location": location})

    async def _token(self, raw: web.BaseRequest) -> web.StreamResponse:
        form = dict(parse_qsl((await raw.read()).decode(), keep_blank_values=True))
        application = self._login.application_of(form)
        self._stats.token_requests[application.name if application else "unknown"] += 1

        async def serve() -> web.StreamResponse:
            if self._options.latency:
                await asyncio.sleep(self._options.latency)
            headers = {"Content-Type": _JSON, "x-amzn-RequestId": self._request_id()}
            try:
                _check_form(raw)
                response = web.Response(body=self._login.issue(form), headers=headers)
            except TokenError as error:
                self._stats.malformed[TOKEN_OPERATION, error.status, error.error] += 1
                response = web.Response(status=error.status, body=error.body(), headers=headers)
            return self._date(raw, response)

        fault = self._fault(Request(TOKEN_OPERATION, "", {}))
        if fault is None:
            return await serve()
        self._stats.faults += 1
        return await fault.answer(raw, serve)


def _check_form(raw: web.BaseRequest) -> None:
    if raw.method != "POST" or raw.content_type != "application/x-www-form-urlencoded":
        raise TokenError(400, "invalid_request", "A form is to be posted here")
