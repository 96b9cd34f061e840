"""Counters of requests and replies."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

KEPT_CALLS = 20_000


@dataclass
class OperationStats:
    """One operation's traffic.

    Attributes:
        requests: All that arrived, whatever their outcome.
        by_status: How many got which HTTP status.
        refused: How many got 429 because the bucket was empty.
        rows: Rows sent, repeated ones included.
        first: When the first arrived, in seconds of the monotonic clock.
        last: When the last arrived.
        in_flight: Being answered at this moment.
        max_in_flight: The most there ever were.
    """

    requests: int = 0
    by_status: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    rows: int = 0
    first: float | None = None
    last: float | None = None
    in_flight: int = 0
    max_in_flight: int = 0


@dataclass(frozen=True)
class Call:
    """One request as it was understood.

    Attributes:
        operation: Amazon's name of the operation.
        argument: The decoded path segment, if the path has one.
        parameters: The decoded query.
        status: HTTP status of the reply; 0 if there was none.
        at: Arrival, in seconds of the monotonic clock.
        body: The body of a POST request.
    """

    operation: str
    argument: str | None
    parameters: Mapping[str, str]
    status: int
    at: float
    body: bytes = b""


@dataclass
class Stats:
    """All counters of a simulator.

    Attributes:
        operations: Traffic by operation; every operation is there from the start.
        token_requests: Token requests by application; `unknown` for those of none.
        unknown_parameters: (operation, name) of query parameters the API does not know.
        malformed: (operation, status, code) of every 4xx but 429 and scripted faults.
        faults: Requests that met a scripted fault.
        calls: The last requests, oldest first.
    """

    operations: dict[str, OperationStats]
    token_requests: Counter[str] = field(default_factory=Counter)
    unknown_parameters: Counter[tuple[str, str]] = field(default_factory=Counter)
    malformed: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    faults: int = 0
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT_CALLS))

    @classmethod
    def of(cls, operations: Iterable[str]) -> "Stats":
        """Return counters at zero."""
        return cls({name: OperationStats() for name in operations})

    def arrived(self, operation: str, at: float) -> OperationStats:
        """Count a request in; the caller counts it out by `in_flight`."""
        traffic = self.operations[operation]
        traffic.requests += 1
        traffic.first = at if traffic.first is None else traffic.first
        traffic.last = at
        traffic.in_flight += 1
        traffic.max_in_flight = max(traffic.max_in_flight, traffic.in_flight)
        return traffic

    def reset(self) -> None:
        """Set all counters to zero; requests in flight stay in flight."""
        for name, traffic in self.operations.items():
            self.operations[name] = OperationStats(in_flight=traffic.in_flight)
        self.token_requests.clear()
        self.unknown_parameters.clear()
        self.malformed.clear()
        self.faults = 0
        self.calls.clear()

    def snapshot(self) -> "Stats":
        """Return a copy that no longer changes."""
        return Stats(
            operations={
                name: replace(traffic, by_status=traffic.by_status.copy())
                for name, traffic in self.operations.items()
            },
            token_requests=self.token_requests.copy(),
            unknown_parameters=self.unknown_parameters.copy(),
            malformed=self.malformed.copy(),
            faults=self.faults,
            calls=self.calls.copy(),
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything but the calls in JSON's types."""
        return {
            "operations": {
                name: {**vars(traffic), "by_status": dict(traffic.by_status)}
                for name, traffic in self.operations.items()
            },
            "token_requests": dict(self.token_requests),
            "unknown_parameters": [
                {"operation": operation, "name": name, "count": count}
                for (operation, name), count in self.unknown_parameters.items()
            ],
            "malformed": [
                {"operation": operation, "status": status, "code": code, "count": count}
                for (operation, status, code), count in self.malformed.items()
            ],
            "faults": self.faults,
        }
