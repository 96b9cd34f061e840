"""The simulator as a whole, in a thread of its own or in the caller's loop."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from simulator.business import BusinessApi
from simulator.control import Control
from simulator.encoding import Row
from simulator.faults import Fault, Faults, Scripted
from simulator.limits import Limiter, Monotonic, Plan
from simulator.lwa import BUSINESS, SELLING_PARTNER, LoginWithAmazon
from simulator.model import SandboxModel
from simulator.operations import Operation
from simulator.options import Options
from simulator.reconciliation import ReconciliationApi
from simulator.sandbox import take_over
from simulator.server import Server
from simulator.stats import Stats
from simulator.truth import Key, rows
from simulator.vendor import VendorApi
from simulator.world import World

HOST = "127.0.0.1"
STOP_SECONDS = 0.1
"""The time that requests in flight have to end when the simulator stops."""

T = TypeVar("T")


class Simulator:
    """Login with Amazon and both APIs on one loopback port.

    As a context manager it serves from a daemon thread; `serve` runs it in the caller's loop.

    Args:
        world: The data; a default world if omitted.
        options: The rules.
        port: Where to listen; any free port by default.
        monotonic: Clock of rate limits, and of the lifetimes of access and page tokens.
        faults: Policies that decide which requests fail; `fail_next` comes before them.
    """

    def __init__(
        self,
        world: World | None = None,
        options: Options | None = None,
        *,
        port: int = 0,
        monotonic: Monotonic = time.monotonic,
        faults: Sequence[Faults] = (),
    ) -> None:
        self.world = World() if world is None else world
        self.options = Options() if options is None else options
        self._port = port
        self._scripted = Scripted()
        self._login = LoginWithAmazon(
            lifetime=self.options.token_lifetime,
            monotonic=monotonic,
            account=self.options.account,
        )
        operations = _operations(self.world, self.options, monotonic)
        if self.options.sandbox:
            operations = [take_over(operation) for operation in operations]
        if self.options.model is not None:
            model = SandboxModel(self.options.model)
            operations = [model.take_over(operation) for operation in operations]
        self.operations = {operation.name: operation for operation in operations}
        plans = {name: operation.plan for name, operation in self.operations.items()}
        self._limiter = Limiter(
            {**plans, **self.options.rates}, enforced=self.options.limits, monotonic=monotonic
        )
        self._stats = Stats.of(self.operations)
        self._server = Server(
            self.operations,
            options=self.options,
            login=self._login,
            limiter=self._limiter,
            faults=(self._scripted, *faults),
            stats=self._stats,
            control=Control(
                self.world, stats=self._stats, login=self._login, limiter=self._limiter
            ),
            monotonic=monotonic,
            world=self.world,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._settled = Event()
        self._failure: OSError | None = None
        self._thread = Thread(target=self._run, name="simulator", daemon=True)

    @property
    def url(self) -> str:
        """The base URL of everything."""
        return f"http://{HOST}:{self._port}"

    def config(self, **extra: object) -> dict[str, Any]:
        """Return a complete configuration of the tap for this simulator.

        Args:
            **extra: Further settings, or others in the place of these.
        """
        return {
            "sp_api_client_id": SELLING_PARTNER.client_id,
            "sp_api_client_secret": SELLING_PARTNER.client_secret,
            "sp_api_refresh_token": self._login.refresh_token(SELLING_PARTNER),
            "business_api_client_id": BUSINESS.client_id,
            "business_api_client_secret": BUSINESS.client_secret,
            "business_api_refresh_token": self._login.refresh_token(BUSINESS),
            "business_api_regions": list(self.world.regions),
            "sp_api_url": self.url,
            "business_api_url": self.url,
            "lwa_url": self.url,
            **extra,
        }

    def rows(self, stream: str) -> dict[Key, Row]:
        """Return the rows of a complete sync of a stream, by key; money is `Decimal`."""
        return rows(self.world, stream)

    def stats(self) -> Stats:
        """Return a copy of all counters."""
        return self._in_loop(self._stats.snapshot)

    def reset_stats(self) -> None:
        """Set all counters to zero and fill the buckets."""

        def reset() -> None:
            self._stats.reset()
            self._limiter.reset()

        self._in_loop(reset)

    def revoke_tokens(self) -> None:
        """Revoke every access token, as when an account authorises the application again."""
        self._in_loop(self._login.revoke_all)

    def fail_next(self, operation: str, *faults: Fault) -> None:
        """Let the next requests to an operation (or `token`) meet these faults, one each."""
        self._in_loop(lambda: self._scripted.fail_next(operation, faults))

    async def serve(self, stop: asyncio.Event, started: Callable[[], None]) -> None:
        """Serve in the running loop until `stop` is set.

        Args:
            stop: Ends it.
            started: Called when the server listens.
        """
        server = web.Server(self._server.handle, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=STOP_SECONDS)
        await runner.setup()
        try:
            listener = socket.create_server((HOST, self._port), backlog=128)
            await web.SockSite(runner, listener).start()
            self._port = listener.getsockname()[1]
            started()
            await stop.wait()
            # asyncio loses connections that it has accepted but not begun to serve.
            asyncio.get_running_loop().remove_reader(listener)
            await _settle()
        finally:
            await runner.cleanup()
            await _settle()  # until then, connections are closing

    def __enter__(self) -> Self:
        self._thread.start()
        self._settled.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._in_loop(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve_from_thread())
        except OSError as error:
            self._failure = error
            self._settled.set()

    async def _serve_from_thread(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.serve(self._stop, self._settled.set)

    def _in_loop(self, act: Callable[[], T]) -> T:
        """Run a function in the server's loop, where no request changes counters meanwhile."""
        if self._loop is None or self._loop.is_closed():
            return act()

        async def run() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()


async def _settle() -> None:
    """Let the loop do what is ready."""
    for _ in range(3):
        await asyncio.sleep(0)


def published_plans() -> dict[str, Plan]:
    """Return the usage plan that Amazon publishes for each operation."""
    operations = _operations(World(orders=0), Options(), time.monotonic)
    return {operation.name: operation.plan for operation in operations}


def _operations(world: World, options: Options, monotonic: Monotonic) -> list[Operation]:
    return [
        *VendorApi(world, options, monotonic).operations(),
        *BusinessApi(world, options, monotonic).operations(),
        *ReconciliationApi(world, options).operations(),
    ]
