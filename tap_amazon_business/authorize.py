"""The command tap-amazon-business-authorize: from a consent to a refresh token.

A program of its own beside the tap. It stores nothing. Secrets come from the tap's environment
variables or from hidden prompts. Never is one an argument: other users of a machine can read
command lines.

Sources: "Website Authorization Workflow" (Selling Partner API) and "Authorize your Amazon Business
API apps" in Amazon's guides.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import re
import secrets
from collections.abc import Callable
from importlib import metadata
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import click

from tap_amazon_business.api import hosts
from tap_amazon_business.api.auth import INVALID_CLIENT, Credentials, Refusal, TokenEndpoint
from tap_amazon_business.api.retry import Outage, Retrier
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.clock import Clock
from tap_amazon_business.errors import TapError
from tap_amazon_business.redaction import oauth_code
from tap_amazon_business.settings import BUSINESS_API, SP_API, Settings
from tap_amazon_business.validation import url_problem

_TAP = "tap-amazon-business"
_VARIABLES = "TAP_AMAZON_BUSINESS_"

# ---- the page of the consent, and the code that it hands out -------------------------------------

_CODE_NAMES = ("spapi_oauth_code", "code")  # of Vendor Central, of Amazon Business
_BARE_CODE = re.compile(r"[\w.~|-]+", re.ASCII)

_REFUSAL = Refusal(
    "Login with Amazon refused the authorization code",
    {
        "invalid_client": INVALID_CLIENT,
        "invalid_grant": (
            "a code works once, for about five minutes, for one application and one redirect URI; "
            "run this command again to get a new one"
        ),
        "unauthorized_client": (
            "check that the application id and {0}_client_id belong to the same application"
        ),
    },
    "check {0}_client_id, {0}_client_secret and the redirect URI",
)


def vendor_page(
    marketplace: str, application_id: str, state: str, *, redirect_uri: str | None, draft: bool
) -> str:
    """Return the URL of the page on which a vendor consents.

    Args:
        marketplace: Which Vendor Central, such as DE.
        application_id: The application.
        state: What the page hands back, with the code.
        redirect_uri: Where the browser goes; None for the first one of the application.
        draft: Whether the application is not published, as private ones never are.
    """
    query = {"application_id": application_id, "state": state}
    if redirect_uri:
        query["redirect_uri"] = redirect_uri
    if draft:
        query["version"] = "beta"
    return f"https://{hosts.vendor_central(marketplace)}/apps/authorize/consent?{urlencode(query)}"


def business_page(region: str, application_id: str, state: str, redirect_uri: str) -> str:
    """Return the URL of the page on which an administrator of a business account consents."""
    query = {"state": state, "redirect_uri": redirect_uri, "applicationId": application_id}
    return f"https://{hosts.business_site(region)}/b2b/abws/oauth?{urlencode(query)}"


def code_in(answer: str, state: str) -> str:
    """Return the code in the address that the browser was sent to, or the bare code.

    Raises:
        TapError: There is none, or the address answers another consent page.
    """
    answer = answer.strip()
    if _BARE_CODE.fullmatch(answer):
        return answer
    query = parse_qs(urlsplit(answer).query)
    if error := query.get("error"):
        raise TapError(
            f"Amazon gave no code: {oauth_code(error[0]) or 'it reports an error'}. Run this "
            "command again; the account has to confirm the access."
        )
    codes = [query[name][0] for name in _CODE_NAMES if name in query]
    if not codes:
        raise TapError(
            "There is no code in this address. Copy the whole address that the browser shows after "
            "the consent; it has a parameter spapi_oauth_code or code."
        )
    if not hmac.compare_digest(query.get("state", [""])[0].encode(), state.encode()):
        raise TapError(
            "The state in this address is not the one of this consent page: it answers an older "
            "page, or somebody else's. Run this command again, and use the address that it prints."
        )
    return codes[0]


def exchange(code: str, redirect_uri: str | None, endpoint: TokenEndpoint) -> str:
    """Return the refresh token for an authorization code.

    Raises:
        RequestFailedError: Login with Amazon refuses the code, or does not respond.
    """
    grant = {"grant_type": "authorization_code", "code": code}
    if redirect_uri:  # the one of the consent page, if that had one: RFC 6749, section 4.1.3
        grant["redirect_uri"] = redirect_uri
    return endpoint.issue("refresh", grant, _REFUSAL).token


# ---- the command ---------------------------------------------------------------------------------


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
    page = vendor_page(marketplace, application_id, state, redirect_uri=redirect_uri, draft=draft)
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
    page = business_page(region, application_id, state, redirect_uri)
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
    code = code_in(click.prompt("Whole address, or the code in it"), state)
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
    return exchange(code, redirect_uri, endpoint)


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
