"""The connection check (`--test`): sign in, call each operation once, and report the results."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any
from urllib.parse import quote

from tap_amazon_business.api import sandbox
from tap_amazon_business.api.client import Client
from tap_amazon_business.api.operations import GET_PURCHASE_ORDERS, Request
from tap_amazon_business.api.responses import advice_on_failure
from tap_amazon_business.clock import Clock
from tap_amazon_business.errors import RequestFailedError
from tap_amazon_business.settings import BUSINESS_API, SP_API, Settings
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.queries import Probe

# What a task returns: a body, or nothing where there is none to look at; or why it failed.
Answer = dict[str, Any] | RequestFailedError | None

# Seconds for each of three steps: to sign in, to ask, and to ask what depends on other answers.
_PATIENCE = 7

# The purchase order to ask for where none of the account's own is known.
_ANY_NUMBER = "TEST0001"
_NOT_A_PATH_SEGMENT = frozenset({"", ".", ".."})
_REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True)
class _Question:
    """A probe of one client; the request's subject is its region."""

    client: Client
    probe: Probe

    @property
    def request(self) -> Request:
        return self.probe.request


class ConnectionCheck:
    """Calls each operation of some streams once in each region, even if others fail."""

    def __init__(
        self,
        settings: Settings,
        streams: Iterable[AmazonStream],
        *,
        clock: Clock,
        report: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._streams = sorted(streams, key=lambda stream: stream.client.prefix, reverse=True)
        self._clock = clock
        self._report = report

    def run(self) -> bool:
        """Report each credential set, and each operation of those that work.

        Returns:
            Whether all is ok.
        """
        refused = self._sign_in()
        questions = self._questions()
        asked = {name: q for name, q in questions.items() if q.client.prefix not in refused}
        answers = self._ask(asked)
        if not questions:
            self._report("No stream is selected: nothing to check.")
        ok = bool(asked) and not refused
        for name, question in asked.items():
            works, words = self._outcome(name, question, answers[name])
            ok = ok and works
            self._report(f"{name}: {words}")
        for prefix in refused:
            operations = [
                q.request.operation.name for q in questions.values() if q.client.prefix == prefix
            ]
            names = ", ".join(dict.fromkeys(operations))
            self._report(f"Skipped because {prefix} cannot sign in: {names}")
        return ok

    def _sign_in(self) -> list[str]:
        """Report each credential set; return the prefixes of those that do not work."""
        clients = {stream.client.prefix: stream.client for stream in self._streams}
        answers = run_at_once(
            {prefix: partial(client.sign_in, attempts=1) for prefix, client in clients.items()},
            clock=self._clock,
            late=lambda _: advice_on_failure(None, "lwa"),
        )
        for prefix in clients:
            problem = _reason(answers[prefix], "Login with Amazon")
            self._report(f"Login with Amazon ({prefix}): {problem or 'ok'}")
        return [prefix for prefix in clients if answers[prefix]]

    # ---- questions ---------------------------------------------------------------------------

    def _questions(self) -> dict[str, _Question]:
        """Return one question for each operation and region, by their names."""
        found: dict[str, _Question] = {}
        for stream in self._streams:
            for probe in stream.probes():
                request = self._request(stream, probe.request)
                if self._settings.sandbox and request.operation.name not in sandbox.EXAMPLES:
                    self._report(f"{request}: skipped: Amazon's models contain no example of it")
                    continue
                question = _Question(stream.client, replace(probe, request=request))
                # A stream that cannot do without the operation decides.
                if str(request) not in found or not probe.refused:
                    found[str(request)] = question
        return found

    def _request(self, stream: AmazonStream, request: Request) -> Request:
        regions = {
            SP_API: self._settings.sp_api_region,
            BUSINESS_API: ", ".join(self._settings.business_api_regions),
        }
        region = request.params.get("region") or regions[stream.client.prefix]
        return replace(request, subject=sandbox.REGION if self._settings.sandbox else region)

    def _ask(self, questions: Mapping[str, _Question]) -> dict[str, Answer]:
        """Ask everything once: first what needs no number, then what needs one, or a witness."""
        late = {name: advice_on_failure(None, q.client.prefix) for name, q in questions.items()}

        def ask(requests: Mapping[str, Request]) -> dict[str, Answer]:
            return run_at_once(
                {
                    name: partial(questions[name].client.get_once, request)
                    for name, request in requests.items()
                },
                clock=self._clock,
                late=late.__getitem__,
            )

        needy = [name for name, q in questions.items() if "{}" in q.request.operation.path]
        answers = ask({name: q.request for name, q in questions.items() if name not in needy})
        number = quote(next(self._numbers(answers)), safe="")
        witnesses = {
            name: q.probe.witness
            for name, q in questions.items()
            if q.probe.witness and not q.client.answers and _not_found(answers.get(name))
        }
        by_number = {name: replace(questions[name].request, segment=number) for name in needy}
        later = ask({**by_number, **witnesses})
        return {**later, **answers}

    def _numbers(self, answers: Mapping[str, Answer]) -> Iterator[str]:
        """Yield purchase order numbers that fit into a path, the account's own first."""
        orders = f"{GET_PURCHASE_ORDERS.name} ({self._settings.sp_api_region})"
        found = answers.get(orders)
        rows = GET_PURCHASE_ORDERS.rows_of(found) if isinstance(found, dict) else None
        named = [row.get("purchaseOrderNumber") for row in rows or () if isinstance(row, dict)]
        for number in (*self._settings.purchase_order_numbers, *named, _ANY_NUMBER):
            if isinstance(number, str) and number not in _NOT_A_PATH_SEGMENT:
                yield number

    # ---- answers -----------------------------------------------------------------------------

    def _outcome(self, name: str, question: _Question, answer: Answer) -> tuple[bool, str]:
        """Return whether an operation can be used, and that in words."""
        probe, client, operation = question.probe, question.client, question.request.operation
        remark = ""
        if isinstance(answer, RequestFailedError):
            known = client.answers or not probe.witness
            if _not_found(answer) and probe.not_found is not None and known:
                remark = probe.not_found
            elif probe.refused and answer.status in _REFUSALS:
                return True, f"refused; {probe.refused}"
            else:
                return False, _reason(answer, name)
        parts = ["ok", f"{client.rate(operation):g} requests/s"]
        if self._settings.sandbox:
            parts.append("Amazon's example")
        else:
            oldest = self._clock.now() - operation.reach
            since = max(filter(None, (oldest, self._settings.start_date)))
            parts.append(f"data back to {since.date()}")
        return True, ", ".join(filter(None, [*parts, remark]))


def run_at_once(
    tasks: Mapping[str, Callable[[], dict[str, Any] | None]],
    *,
    clock: Clock,
    late: Callable[[str], str],
) -> dict[str, Answer]:
    """Run tasks in parallel, a thread each, and return what they return or how they failed.

    A task that takes too long is left behind: the threads are daemons.

    Args:
        tasks: The tasks by name.
        clock: The time.
        late: Returns what to do about a task that took too long.
    """
    done: SimpleQueue[tuple[str, Answer | BaseException] | None] = SimpleQueue()

    def run(name: str, task: Callable[[], dict[str, Any] | None]) -> None:
        try:
            done.put((name, task()))
        except BaseException as error:  # noqa: BLE001 (raised again below)
            done.put((name, error))

    def ring() -> None:
        clock.sleep(_PATIENCE)
        done.put(None)

    if not tasks:
        return {}
    for name, task in tasks.items():
        threading.Thread(target=run, args=[name, task], name=name, daemon=True).start()
    threading.Thread(target=ring, name="deadline", daemon=True).start()
    answers: dict[str, Answer] = {}
    while len(answers) < len(tasks):
        ended = done.get()
        if ended is None:
            break
        name, answer = ended
        if isinstance(answer, BaseException) and not isinstance(answer, RequestFailedError):
            raise answer
        answers[name] = answer
    return {
        name: RequestFailedError(f"no answer within {_PATIENCE} s. {late(name)}") for name in tasks
    } | answers


def _not_found(answer: Answer) -> bool:
    return isinstance(answer, RequestFailedError) and answer.status == HTTPStatus.NOT_FOUND


def _reason(answer: Answer, subject: str) -> str:
    """Return what is wrong and what to do, nothing if all is well."""
    if not isinstance(answer, RequestFailedError):
        return ""
    return answer.message.removeprefix(subject).strip()
