"""Amazon's static sandbox: it answers the parameters of its examples, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.encoding import decode, encode
from simulator.errors import invalid_input
from simulator.models import examples
from simulator.operations import Answer, Operation, Request


@dataclass(frozen=True)
class Example:
    """A request that is answered.

    Attributes:
        body: The reply, made up.
        asked: All its parameters, that of the path included; a list is joined by commas.
        posted: What it posts.
    """

    body: Mapping[str, Any]
    asked: Mapping[str, str] = field(default_factory=dict)
    posted: Mapping[str, Any] | None = None

    @property
    def answer(self) -> Answer:
        """The reply as an answer; its page token leads nowhere."""
        parts = {**self.body, **self.body.get("payload", {})}
        rows = sum(len(part) for part in parts.values() if isinstance(part, list))
        return Answer(encode(self.body), rows)


def take_over(operation: Operation) -> Operation:
    """Return the operation as the sandbox answers it: 400 InvalidInput, if no example fits."""
    known = [Example(**case) for case in examples().get(operation.name, ())]

    def answer(request: Request) -> Answer:
        posted = decode(request.body) if request.body else None
        return _choose(known, _asked(operation, request), posted)

    return replace(operation, answer=answer, bad_parameter=invalid_input)


def _asked(operation: Operation, request: Request) -> dict[str, str]:
    variable = operation.path.partition("{")[2].partition("}")[0]
    return {**request.parameters, **({variable: request.argument} if variable else {})}


def _choose(
    known: Sequence[Example], asked: Mapping[str, str], posted: Mapping[str, Any] | None
) -> Answer:
    for example in known:
        if example.asked == asked and example.posted == posted:
            return example.answer
    raise invalid_input()
