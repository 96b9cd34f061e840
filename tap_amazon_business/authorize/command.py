"""The command tap-amazon-business-authorize: from a consent to a refresh token.

It stores nothing. Secrets come from the tap's environment variables or from hidden prompts. Never
is one an argument: other users of a machine can read command lines.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable
from importlib import metadata
from typing import Any

import click

from tap_amazon_business.api import hosts
from tap_amazon_business.api.auth import Credentials, TokenEndpoint
from tap_amazon_business.api.retry import Outage, Retrier
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.authorize import consent
from tap_amazon_business.clock import Clock
from tap_amazon_business.settings import BUSINESS_API, SP_API, Settings
from tap_amazon_business.validation import url_problem

_TAP = "tap-amazon-business"
_VARIABLES = "TAP_AMAZON_BUSINESS_"


def _safe_url(_: click.Context, option: click.Parameter, value: str) -> str:
    if problem := url_problem(value):
        raise click.BadParameter(problem, param=option)
    return value


def _options(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_application_id = click.option(
    "--application-id",
    metavar="ID",
    prompt="Application id",
    help="Identifies the application, such as amzn1.sp.solution.1234. It is not the client id.",
)
_lwa_url = click.option(
    "--lwa-url",
    metavar="URL",
    envvar=_VARIABLES + "LWA_URL",
    default=hosts.LOGIN_WITH_AMAZON,
    show_default=True,
    callback=_safe_url,
    help="Replaces the host of Login with Amazon; https, or http on a loopback address.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Get a refresh token for the tap, by the consent of an account.

    The command prints the address of Amazon's consent page, takes the address that the browser
    shows afterwards, and exchanges the code in it. It stores nothing.

    Client id and client secret come from the tap's environment variables, or are asked for.
    """


@main.command()
@_options(
    click.option(
        "--marketplace",
        type=click.Choice(list(hosts.MARKETPLACES)),
        prompt=True,
        help="Marketplace of your Vendor Central.",
    ),
    _application_id,
    click.option(
        "--redirect-uri",
        metavar="URL",
        help="An OAuth redirect URI of the application. Default: its first one.",
    ),
    click.option(
        "--draft/--published",
        default=True,
        show_default=True,
        help="Private applications stay drafts.",
    ),
    _lwa_url,
)
def vendor(
    marketplace: str, application_id: str, redirect_uri: str | None, *, draft: bool, lwa_url: str
) -> None:
    """Selling Partner API: a vendor account consents."""
    region = hosts.MARKETPLACES[marketplace]
    state = secrets.token_urlsafe(24)
    page = consent.vendor_page(
        marketplace, application_id, state, redirect_uri=redirect_uri, draft=draft
    )
    token = _token(SP_API, page, state, redirect_uri, lwa_url)
    _show(SP_API, token, "sp_api_region", region)


@main.command()
@_options(
    click.option(
        "--region",
        type=click.Choice(list(hosts.BUSINESS_API_REGIONS)),
        prompt=True,
        help="Region code of the business account.",
    ),
    _application_id,
    click.option(
        "--redirect-uri",
        metavar="URL",
        prompt="OAuth redirect URI of the application",
        help="The OAuth redirect URI of the application, exactly as it is registered.",
    ),
    _lwa_url,
)
def business(region: str, application_id: str, redirect_uri: str, lwa_url: str) -> None:
    """Amazon Business: an administrator of a business account consents."""
    state = secrets.token_urlsafe(24)
    page = consent.business_page(region, application_id, state, redirect_uri)
    token = _token(BUSINESS_API, page, state, redirect_uri, lwa_url)
    _show(BUSINESS_API, token, "business_api_regions", json.dumps([region]))


def _token(prefix: str, page: str, state: str, redirect_uri: str | None, lwa_url: str) -> str:
    # Asked for first: the code that follows expires within minutes.
    credentials = Credentials(
        prefix,
        _secret(f"{prefix}_client_id", "Client id"),
        _secret(f"{prefix}_client_secret", "Client secret"),
        "",
    )
    click.echo(f"\nOpen this address in a browser, sign in, and confirm the access:\n\n{page}\n")
    click.echo(
        "The browser then goes to the redirect URI of the application. An error page is fine:\n"
        "only its address counts. The code in it expires within about five minutes."
    )
    code = consent.code_in(click.prompt("Whole address, or the code in it"), state)
    settings = Settings.from_config({"lwa_url": lwa_url}, metadata.version(_TAP))
    clock = Clock()
    endpoint = TokenEndpoint(
        settings.lwa_url,
        credentials,
        Transport(
            user_agent=settings.user_agent,
            connections=1,
            request_timeout=settings.request_timeout,
        ),
        Retrier(Outage(clock), clock, logging.getLogger(f"{_TAP}-authorize")),
    )
    return consent.exchange(code, redirect_uri, endpoint)


def _secret(setting: str, question: str) -> str:
    variable = _VARIABLES + setting.upper()
    if value := os.environ.get(variable, "").strip():
        click.echo(f"{question}: from {variable}")
        return value
    answer: str = click.prompt(f"{question} (hidden)", hide_input=True)
    return answer.strip()


def _show(prefix: str, token: str, region_setting: str, region: str) -> None:
    values = {
        f"{prefix}_client_id": "(the client id that you gave)",
        f"{prefix}_client_secret": "(the client secret that you gave)",
        f"{prefix}_refresh_token": token,
        region_setting: region,
    }
    click.echo("\nLogin with Amazon issued a refresh token. It is stored nowhere. The tap needs:\n")
    for setting, value in values.items():
        click.echo(f"setting   {setting}")
        click.echo(f"variable  {_VARIABLES}{setting.upper()}")
        click.echo(f"value     {value}\n")
    click.echo(
        "Meltano and the tap (--config ENV) read the variables. In a shell, write the values in\n"
        "single quotes. Whoever has these values can read the account's data: keep them secret."
    )
