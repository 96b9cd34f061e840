"""Secrets that no run may log or keep: credentials, tokens, e-mail addresses, names of buyers."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from simulator.lwa import APPLICATIONS
from simulator.world.catalogue import Catalogue
from simulator.world.quirks import NO_ROW_QUIRKS

if TYPE_CHECKING:
    from collections.abc import Iterable

_ACCESS_TOKEN = re.compile(r"Atza(\||%7C)")
# Of an address, what comes with the sign: to look for the rest first takes five times as long.
_E_MAIL = re.compile(r"(?<=[\w.+-])(@|%40)[\w-]+\.\w+")


def leaks(log: str, states: Iterable[object] = ()) -> Counter[str]:
    """Return the secrets in a log, errors included, or in states, and how often each occurs."""
    said = "\n".join([log, *(json.dumps(state, ensure_ascii=False) for state in states)])
    found = Counter(match.group() for match in _ACCESS_TOKEN.finditer(said))
    found.update(match.group() for match in _E_MAIL.finditer(said))
    for text in _secrets():
        found[text] += said.count(text)
    return +found


@cache
def _secrets() -> frozenset[str]:
    credentials = [
        secret
        for application in APPLICATIONS
        for secret in (
            application.client_id,
            application.client_secret,
            application.refresh_token,
            application.refresh_token.partition("|")[2],
        )
    ]
    people = Catalogue(0, NO_ROW_QUIRKS).people
    plain = {*credentials, *(value for person in people for value in person.values() if value)}
    return frozenset(plain | {quote(secret, safe="") for secret in plain})
