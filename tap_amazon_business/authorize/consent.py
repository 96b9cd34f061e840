"""The pages on which an account consents to an application, and the codes that they hand out.

Sources: "Website Authorization Workflow" (Selling Partner API) and "Authorize your Amazon Business
API apps" in Amazon's guides.
"""

from __future__ import annotations

import hmac
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from tap_amazon_business.api import hosts
from tap_amazon_business.api.auth import INVALID_CLIENT, Refusal, TokenEndpoint
from tap_amazon_business.errors import TapError
from tap_amazon_business.redaction import oauth_code

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
