"""Operations, and the router that finds them by path."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from simulator.errors import ApiError, invalid_input
from simulator.limits import Plan
from simulator.lwa import Application


@dataclass(frozen=True)
class Request:
    """A request to an operation.

    Attributes:
        operation: Amazon's name of the operation.
        argument: The path's variable segment, decoded once; empty where the path has none.
        parameters: The decoded query.
        body: The body of a POST request.
        content_type: The media type of the body.
    """

    operation: str
    argument: str
    parameters: Mapping[str, str]
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True)
class Answer:
    """A JSON body with status 200, and how many rows are in it."""

    body: bytes
    rows: int


@dataclass(frozen=True)
class Operation:
    """One operation of one of the APIs.

    Attributes:
        name: Amazon's name.
        path: The path; one segment may be a variable such as `{purchaseOrderNumber}`.
        application: Whose access token it takes.
        plan: The published usage plan.
        parameters: The query parameters it knows, in Amazon's spelling.
        answer: Answers a request or raises `ApiError`.
        bad_parameter: Makes the refusal of a parameter or page token.
        method: The HTTP method.
    """

    name: str
    path: str
    application: Application
    plan: Plan
    parameters: frozenset[str]
    answer: Callable[[Request], Answer]
    bad_parameter: Callable[[str], ApiError] = invalid_input
    method: str = "GET"


class Router:
    """Finds operations by the raw path, so that an encoded slash stays inside its segment."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._plain: dict[str, Operation] = {}
        self._variable: list[tuple[str, str, Operation]] = []
        for operation in operations:
            before, brace, rest = operation.path.partition("{")
            if brace:
                self._variable.append((before, rest.partition("}")[2], operation))
            else:
                self._plain[operation.path] = operation

    def find(self, raw_path: str) -> tuple[Operation, str] | None:
        """Return the operation at a path and the decoded variable segment of it."""
        operation = self._plain.get(raw_path)
        if operation is not None:
            return operation, ""
        for before, after, candidate in self._variable:
            if raw_path.startswith(before) and raw_path.endswith(after):
                segment = raw_path[len(before) : len(raw_path) - len(after)]
                if segment and "/" not in segment:
                    return candidate, unquote(segment)
        return None
