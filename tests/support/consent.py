"""A browser that confirms the access on a simulator's consent page."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests


def confirm(page: str, simulator_url: str) -> str:
    """Return the address that a browser shows after the consent.

    Args:
        page: The address of the consent page at Amazon; the simulator serves it instead.
        simulator_url: Where the simulator listens.
    """
    parts = urlsplit(page)
    session = requests.Session()
    session.trust_env = False
    with session:
        reply = session.get(
            f"{simulator_url}{parts.path}?{parts.query}", allow_redirects=False, timeout=60
        )
    assert reply.status_code == 302, reply.text
    return reply.headers["Location"]
