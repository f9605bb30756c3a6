"""Sign-on at an OpenID Connect issuer: authorization code with PKCE (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError

from atoll.errors import NotAuthenticated, Unavailable
from atoll.ports.identity import Identity
from atoll.providers.oidc.metadata import Endpoints, Metadata, away, read_object
from atoll.providers.oidc.options import OidcOptions

#: Signed by the issuer's own key: neither `none` nor anything made with the client's secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
#: Clocks differ.
_LEEWAY_SECONDS = 60


class OidcIssuer:
    """Implements `TokenIssuer`."""

    origin = "oidc"

    def __init__(self, options: OidcOptions) -> None:
        self._options = options
        self._metadata = Metadata(options)

    def authorization_url(self, *, state: str, nonce: str, code_challenge: str, redirect_uri: str) -> str:
        """Where to send the browser. Raises `Unavailable`."""
        asked = {
            "response_type": "code",
            "client_id": self._options.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._options.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        url = self._metadata.endpoints().authorization
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"

    def redeem(self, *, code: str, code_verifier: str, nonce: str, redirect_uri: str) -> Identity:
        """The identity behind the code. Raises `NotAuthenticated`, `Unavailable`."""
        endpoints = self._metadata.endpoints()
        answer = self._exchange(endpoints, code, code_verifier, redirect_uri)
        claims = self._verified(str(answer.get("id_token", "")), nonce)
        wanted = (self._options.login_claim, self._options.groups_claim)
        if endpoints.userinfo is not None and any(_inner(claims, claim) is None for claim in wanted):
            # Some issuers put little into the token itself.
            more = self._metadata.get(endpoints.userinfo, str(answer.get("access_token", "")))
            if more.get("sub") != claims["sub"]:
                raise _refused()
            claims = {**more, **claims}
        return self._identity(claims)

    def check(self) -> None:
        """Returns when the issuer answers; raises `Unavailable`."""
        self._metadata.keys(kid=None)

    def _exchange(self, endpoints: Endpoints, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        secret = self._options.client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if not secret or endpoints.secret_in_body:
            form |= {"client_id": self._options.client_id, **({"client_secret": secret} if secret else {})}
        else:
            # RFC 6749, section 2.3.1: both are form-encoded first.
            pair = f"{quote(self._options.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        try:
            answer = self._metadata.http.post(endpoints.token, data=form, headers=headers)
        except httpx.HTTPError as error:
            raise away(type(error).__name__) from None
        if answer.status_code in (400, 401):
            raise _refused()
        return read_object(answer)

    def _verified(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of a token that the issuer signed for us, now, for this sign-on (OIDC Core 3.1.3.7)."""
        keys = self._metadata.keys(kid=_kid(id_token))
        try:
            claims = jwt.decode(id_token, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError):
            raise _refused() from None
        now, mine = time.time(), self._options.client_id
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        right = (
            claims.get("iss") == self._options.issuer
            and mine in audiences
            and claims.get("azp", mine if len(audiences) == 1 else None) == mine
            and _number(claims.get("exp")) > now - _LEEWAY_SECONDS
            and _number(claims.get("iat")) < now + _LEEWAY_SECONDS
            and _number(claims.get("nbf", 0)) < now + _LEEWAY_SECONDS
            and hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
            and isinstance(claims.get("sub"), str)
            and claims["sub"]
        )
        if not right:
            raise _refused()
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        groups = _inner(claims, self._options.groups_claim)
        if groups is None and self._options.groups_claim in (claims.get("_claim_names") or {}):
            raise Unavailable(
                "The issuer sends no groups to people who are in very many.",
                where="oidc",
                todo="Use application roles there, and name their claim in ATOLL_OIDC_GROUPS_CLAIM.",
            )
        names = groups if isinstance(groups, list) else [] if groups is None else [groups]
        login = str(_inner(claims, self._options.login_claim) or "").casefold()
        email = claims.get("email")
        return Identity(
            login=login,
            display_name=str(claims.get("name") or login),
            email=email if isinstance(email, str) else None,
            groups=tuple(sorted(name for name in names if isinstance(name, str))),
            subject=f"{self._options.issuer}|{claims['sub']}",
        )


def _kid(id_token: str) -> str | None:
    """The key's id in the header, which is not to be believed yet."""
    head = id_token.split(".", maxsplit=1)[0]
    try:
        kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("kid")
    except (ValueError, AttributeError):
        raise _refused() from None
    return kid if isinstance(kid, str) else None


def _inner(claims: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401
    """The claim of that name, or the one that dots lead to; None when it is not there."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The issuer's answer does not hold.", where="oidc", todo="Sign in again from the start.")
