"""From settings to clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_amazon_business.api.auth import LoginWithAmazon
from tap_amazon_business.api.client import Client
from tap_amazon_business.api.health import Health
from tap_amazon_business.api.limits import Limiter
from tap_amazon_business.api.traffic import Traffic
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.settings import BUSINESS_API, SP_API

if TYPE_CHECKING:
    import logging

    from tap_amazon_business.api.auth import Credentials
    from tap_amazon_business.api.retry import Outage
    from tap_amazon_business.clock import BoundedClock
    from tap_amazon_business.settings import Settings

# How many streams read one API at once.
_MOST_STREAMS = 8
_REGION_SETTINGS = {SP_API: "sp_api_region", BUSINESS_API: "business_api_regions"}


def new_client(
    settings: Settings,
    url: str,
    credentials: Credentials,
    *,
    outage: Outage,
    clock: BoundedClock,
    logger: logging.Logger,
) -> Client:
    """Return the client of one credential set.

    Args:
        settings: The settings.
        url: The API's URL.
        credentials: The credential set.
        outage: Whether the hosts are down; all clients of a tap share it.
        clock: The time.
        logger: Gets a line for every retry.
    """
    transport = Transport(
        user_agent=settings.user_agent,
        connections=settings.max_parallel_requests * _MOST_STREAMS,
        request_timeout=settings.request_timeout,
    )
    return Client(
        url,
        region_setting=_REGION_SETTINGS[credentials.prefix],
        authenticator=LoginWithAmazon(
            credentials,
            lwa_url=settings.lwa_url,
            transport=transport,
            outage=outage,
            clock=clock,
            logger=logger,
        ),
        limiter=Limiter(settings.rate_limits, clock),
        transport=transport,
        health=Health(credentials.prefix, outage),
        traffic=Traffic(clock),
        clock=clock,
        logger=logger,
    )
