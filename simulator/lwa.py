"""Login with Amazon: exchanges refresh tokens of two applications for access tokens."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.encoding import encode
from simulator.limits import Monotonic


@dataclass(frozen=True)
class Application:
    """An application registered for one of the APIs, and the consent one account gave it."""

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


SELLING_PARTNER = Application(
    "selling_partner", "amzn1.application-oa2-client.sp", "sp-secret", "Atzr|sp-refresh"
)
BUSINESS = Application(
    "business", "amzn1.application-oa2-client.ab", "ab-secret", "Atzr|ab-refresh"
)
APPLICATIONS = (SELLING_PARTNER, BUSINESS)


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


class LoginWithAmazon:
    """Issues access tokens, and knows their applications."""

    def __init__(self, *, lifetime: float, monotonic: Monotonic) -> None:
        self._lifetime = lifetime
        self._monotonic = monotonic
        self._grants: dict[str, _Grant] = {}

    def application_of(self, form: Mapping[str, str]) -> Application | None:
        """Return the application whose client id a token request has."""
        client = form.get("client_id")
        return next((a for a in APPLICATIONS if a.client_id == client), None)

    def issue(self, form: Mapping[str, str]) -> bytes:
        """Answer the form fields of `POST /auth/o2/token` with the JSON body of a token reply.

        Raises:
            TokenError: The request is refused.
        """
        for name in ("grant_type", "client_id", "client_secret", "refresh_token"):
            if not form.get(name):
                raise TokenError(400, "invalid_request", f"The request is missing {name}")
        if form["grant_type"] != "refresh_token":
            raise TokenError(
                400, "unsupported_grant_type", "The grant type is not supported by this server"
            )
        application = self.application_of(form)
        if application is None or form["client_secret"] != application.client_secret:
            raise TokenError(401, "invalid_client", "Client authentication failed")
        if form["refresh_token"] != application.refresh_token:
            raise TokenError(400, "invalid_grant", "The request has an invalid grant parameter")
        token = f"Atza|{secrets.token_urlsafe(24)}"
        self._grants[token] = _Grant(application, self._monotonic() + self._lifetime)
        lifetime = int(self._lifetime) if self._lifetime >= 1 else self._lifetime
        return encode(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": lifetime,
                "refresh_token": application.refresh_token,
            }
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
