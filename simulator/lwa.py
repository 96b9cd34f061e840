"""Login with Amazon: exchanges refresh tokens and authorization codes of two applications."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from simulator.encoding import encode
from simulator.limits import Monotonic


@dataclass(frozen=True)
class Application:
    """An application registered for one of the APIs, and the consent one account gave it."""

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    application_id: str
    redirect_uri: str


SELLING_PARTNER = Application(
    "selling_partner",
    "amzn1.application-oa2-client.sp",
    "sp-secret",
    "Atzr|sp-refresh",
    "amzn1.sp.solution.sp",
    "https://sp.example.com/consent",
)
BUSINESS = Application(
    "business",
    "amzn1.application-oa2-client.ab",
    "ab-secret",
    "Atzr|ab-refresh",
    "amzn1.sp.solution.ab",
    "https://ab.example.com/consent",
)
APPLICATIONS = (SELLING_PARTNER, BUSINESS)

CODE_LIFETIME = 300
"""Seconds until an authorization code expires."""


@dataclass(frozen=True)
class _Page:
    """A consent page: whose it is, and how its parameters are called."""

    application: Application
    id_name: str
    code_name: str


CONSENT_PAGES = {
    "/apps/authorize/consent": _Page(SELLING_PARTNER, "application_id", "spapi_oauth_code"),
    "/b2b/abws/oauth": _Page(BUSINESS, "applicationId", "code"),
}
"""By path; Amazon serves them on the hosts of Vendor Central and of Amazon Business."""


@dataclass(eq=False)
class TokenError(Exception):
    """A refusal of the token endpoint, in the form of RFC 6749, section 5.2."""

    status: int
    error: str
    description: str

    def body(self) -> bytes:
        """Return the reply's JSON body."""
        return encode({"error": self.error, "error_description": self.description})


@dataclass(frozen=True)
class _Grant:
    application: Application
    expires_at: float


@dataclass(frozen=True)
class _Consent:
    """The meaning of an authorization code."""

    application: Application
    redirect_uri: str | None
    expires_at: float


class LoginWithAmazon:
    """Issues authorization codes and tokens, and knows their applications.

    Args:
        lifetime: Seconds an access token lasts.
        monotonic: The clock it lasts by.
        account: Added to the refresh tokens: other accounts have others.
    """

    def __init__(self, *, lifetime: float, monotonic: Monotonic, account: str = "") -> None:
        self._lifetime = lifetime
        self._account = account
        self._monotonic = monotonic
        self._grants: dict[str, _Grant] = {}
        self._consents: dict[str, _Consent] = {}

    def refresh_token(self, application: Application) -> str:
        """Return the refresh token that the account gave an application."""
        return f"{application.refresh_token}{self._account}"

    def application_of(self, form: Mapping[str, str]) -> Application | None:
        """Return the application whose client id a token request has."""
        client = form.get("client_id")
        return next((a for a in APPLICATIONS if a.client_id == client), None)

    def issue(self, form: Mapping[str, str]) -> bytes:
        """Answer the form fields of `POST /auth/o2/token` with the JSON body of a token reply.

        Raises:
            TokenError: The request is refused.
        """
        wanted = "code" if form.get("grant_type") == "authorization_code" else "refresh_token"
        for name in ("grant_type", "client_id", "client_secret", wanted):
            if not form.get(name):
                raise TokenError(400, "invalid_request", f"The request is missing {name}")
        if form["grant_type"] not in {"refresh_token", "authorization_code"}:
            raise TokenError(
                400, "unsupported_grant_type", "The grant type is not supported by this server"
            )
        application = self.application_of(form)
        if application is None or form["client_secret"] != application.client_secret:
            raise TokenError(401, "invalid_client", "Client authentication failed")
        if wanted == "code":
            valid = self._redeem(form["code"], application, form.get("redirect_uri"))
        else:
            valid = form["refresh_token"] == self.refresh_token(application)
        if not valid:
            raise TokenError(400, "invalid_grant", "The request has an invalid grant parameter")
        token = f"Atza|{secrets.token_urlsafe(24)}"
        self._grants[token] = _Grant(application, self._monotonic() + self._lifetime)
        lifetime = int(self._lifetime) if self._lifetime >= 1 else self._lifetime
        return encode(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": lifetime,
                "refresh_token": self.refresh_token(application),
            }
        )

    def consent(self, path: str, query: Mapping[str, str]) -> str | None:
        """Return where a consent page sends the browser of an account that confirms.

        Returns:
            The redirect URI with state and code; None if the page shows an error instead.
        """
        page = CONSENT_PAGES[path]
        application = page.application
        redirect_uri = query.get("redirect_uri")
        known = query.get(page.id_name) == application.application_id
        if not known or redirect_uri not in {None, application.redirect_uri}:
            return None
        code = secrets.token_urlsafe(12)
        expires_at = self._monotonic() + CODE_LIFETIME
        self._consents[code] = _Consent(application, redirect_uri, expires_at)
        parameters = {"state": query.get("state", ""), page.code_name: code}
        return f"{application.redirect_uri}?{urlencode(parameters)}"

    def _redeem(self, code: str, application: Application, redirect_uri: str | None) -> bool:
        """Return whether a code is valid, once."""
        consent = self._consents.pop(code, None)
        return (
            consent is not None
            and consent.application is application
            and consent.redirect_uri == redirect_uri
            and self._monotonic() < consent.expires_at
        )

    def holder(self, token: str | None) -> Application | None:
        """Return the application of an access token that is still valid."""
        grant = self._grants.get(token) if token else None
        if grant is None or grant.expires_at <= self._monotonic():
            return None
        return grant.application

    def revoke_all(self) -> None:
        """Revoke every access token."""
        self._grants.clear()
