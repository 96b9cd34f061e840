"""Amazon's own sandbox: the static replies its swagger files carry."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simulator.encoding import encode
from simulator.errors import invalid_input, not_found
from simulator.operations import Answer, Operation, Request

_FAMILIES = ("created", "changed", "updated")
_BESIDE_THE_POINT = frozenset({"limit", "sortOrder", "includeDetails", "nextToken"})


@dataclass(frozen=True)
class _Case:
    parameters: Mapping[str, str]
    payload: Mapping[str, Any]

    @property
    def answer(self) -> Answer:
        rows = sum(len(part) for part in self.payload.values() if isinstance(part, list))
        return Answer(encode({"payload": self.payload}), rows)

    @property
    def token(self) -> str | None:
        token: str | None = self.payload.get("pagination", {}).get("nextToken")
        return token

    @property
    def nothing_more(self) -> Answer:
        """An empty last page of the same list."""
        names = [name for name, part in self.payload.items() if isinstance(part, list)]
        return Answer(encode({"payload": dict.fromkeys(names, ())}), 0)


class SandboxModel:
    """Answers with the cases under `x-amzn-api-sandbox` of a swagger file.

    A real client asks with its own dates and limit, so a case is chosen by the kind of
    request: the same token or none, the same family of dates (created, changed, updated), and
    then the most similar other filters.

    Args:
        path: The swagger file.
    """

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        self._cases = {
            methods["get"]["operationId"]: list(_cases(methods["get"]))
            for methods in document["paths"].values()
            if "get" in methods
        }

    def take_over(self, operation: Operation) -> Operation:
        """Return the operation answered from the model, where the model has replies for it."""
        cases = self._cases.get(operation.name)
        if not cases:
            return operation
        choose = _choose_by_number if "{" in operation.path else _choose_by_kind
        return replace(operation, answer=_answer_from(cases, choose))


_Choose = Callable[[list[_Case], Request], Answer]


def _answer_from(cases: list[_Case], choose: _Choose) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        return choose(cases, request)

    return answer


def _cases(operation: Mapping[str, Any]) -> Iterable[_Case]:
    sandbox = operation["responses"]["200"].get("x-amzn-api-sandbox", {})
    for case in sandbox.get("static", ()):
        parameters = {
            name: str(parameter["value"])
            for name, parameter in case["request"].get("parameters", {}).items()
        }
        yield _Case(parameters, case["response"]["payload"])


def _choose_by_number(cases: list[_Case], request: Request) -> Answer:
    for case in cases:
        if request.argument in case.parameters.values():
            return case.answer
    for case in cases:
        if not case.parameters:
            return case.answer
    raise not_found()


def _choose_by_kind(cases: list[_Case], request: Request) -> Answer:
    wanted = request.parameters
    token = wanted.get("nextToken")
    same_token = [c for c in cases if c.parameters.get("nextToken") == token]
    if not same_token:
        # Some published tokens lead nowhere; a client that follows one may still finish.
        for case in cases:
            if case.token == token:
                return case.nothing_more
        raise invalid_input()
    same_family = [c for c in same_token if _family(c.parameters) == _family(wanted)]
    filters = _filters(wanted)
    best = min(same_family or same_token, key=lambda c: len(_filters(c.parameters) ^ filters))
    return best.answer


def _family(parameters: Iterable[str]) -> frozenset[str]:
    names = list(parameters)
    return frozenset(f for f in _FAMILIES if any(name.startswith(f) for name in names))


def _filters(parameters: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, text)
        for name, text in parameters.items()
        if name not in _BESIDE_THE_POINT and not name.startswith(_FAMILIES)
    )
