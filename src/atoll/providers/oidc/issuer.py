"""Sign-on at an OpenID Connect issuer: authorization code with PKCE (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError

from atoll.errors import NotAuthenticated, Unavailable
from atoll.ports.identity import AnswerLost, Identity, Renewed
from atoll.providers.oidc.metadata import Endpoints, Metadata, away, read_object
from atoll.providers.oidc.options import OidcOptions

log = logging.getLogger(__name__)

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
        if "offline_access" in self._options.scopes.split():
            # OpenID Connect Core 1.0, section 11: nothing is given for later without a consent.
            asked["prompt"] = "consent"
        url = self._metadata.endpoints().authorization
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"

    def redeem(self, *, code: str, code_verifier: str, nonce: str, redirect_uri: str) -> Identity:
        """The identity behind the code. Raises `NotAuthenticated`, `Unavailable`."""
        endpoints = self._metadata.endpoints()
        form = {"grant_type": "authorization_code", "code": code}
        answer = self._granted(endpoints, form | {"redirect_uri": redirect_uri, "code_verifier": code_verifier})
        claims = self._verified(str(answer.get("id_token", "")), nonce)
        return replace(self._identity(self._completed(endpoints, claims, answer)), refresh_token=_refresh(answer))

    def renew(self, refresh_token: str) -> Renewed:
        """Whether the issuer still vouches (RFC 6749, section 6). Raises `NotAuthenticated`, `Unavailable`."""
        endpoints = self._metadata.endpoints()
        answer = self._granted(endpoints, {"grant_type": "refresh_token", "refresh_token": refresh_token})
        try:
            identity = self._told_again(endpoints, answer)
        except (NotAuthenticated, Unavailable) as error:
            # It did vouch, and the new token must not be lost; what it says besides is heard the next time.
            log.warning("What the issuer says with a refresh cannot be used.", extra={"fields": {"code": error.code}})
            identity = None
        return Renewed(identity, _refresh(answer))

    def _told_again(self, endpoints: Endpoints, answer: Mapping[str, Any]) -> Identity | None:
        if isinstance(answer.get("id_token"), str):
            claims = self._verified(answer["id_token"], None)
            return self._identity(self._completed(endpoints, claims, answer))
        if endpoints.userinfo is None:
            return None
        claims = self._metadata.get(endpoints.userinfo, str(answer.get("access_token", "")))
        return self._identity(claims) if isinstance(claims.get("sub"), str) else None

    def _completed(
        self, endpoints: Endpoints, claims: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Some issuers put little into the token itself."""
        wanted = (self._options.login_claim, self._options.groups_claim)
        if endpoints.userinfo is None or all(_inner(claims, claim) is not None for claim in wanted):
            return claims
        more = self._metadata.get(endpoints.userinfo, str(answer.get("access_token", "")))
        if more.get("sub") != claims["sub"]:
            raise _refused()
        return {**more, **claims}

    def check(self) -> None:
        """Returns when the issuer answers; raises `Unavailable`."""
        self._metadata.keys(kid=None)

    def _granted(self, endpoints: Endpoints, form: dict[str, str]) -> Mapping[str, Any]:
        secret = self._options.client_secret.get_secret_value()
        headers = {"Accept": "application/json"}
        if not secret or endpoints.secret_in_body:
            form |= {"client_id": self._options.client_id, **({"client_secret": secret} if secret else {})}
        else:
            # RFC 6749, section 2.3.1: both are form-encoded first.
            pair = f"{quote(self._options.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        try:
            answer = self._metadata.http.post(endpoints.token, data=form, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise away(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise AnswerLost(*away(type(error).__name__).args, where="oidc") from None
        if answer.status_code == 400 and _error(answer) == "invalid_grant":
            raise _refused()
        if answer.status_code in (400, 401):
            # Not of the person: the issuer does not know this client, or its secret is over.
            raise (_refused() if form["grant_type"] == "authorization_code" else away("it does not take Atoll's word"))
        if answer.status_code >= 500:
            raise AnswerLost(*away(f"it answers {answer.status_code}").args, where="oidc")
        return read_object(answer)

    def _verified(self, id_token: str, nonce: str | None) -> Mapping[str, Any]:
        """The claims of a token that the issuer signed for us, now, for this sign-on (OIDC Core 3.1.3.7).

        Without `nonce`: of a refresh, which need not carry one (OIDC Core 12.2).
        """
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
            and (nonce is None or hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()))
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


def _refresh(answer: Mapping[str, Any]) -> str | None:
    token = answer.get("refresh_token")
    return token if isinstance(token, str) and token else None


def _error(answer: httpx.Response) -> str | None:
    """The code of a refusal (RFC 6749, section 5.2)."""
    try:
        said = answer.json()
    except ValueError:
        return None
    return said.get("error") if isinstance(said, dict) else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _refused() -> NotAuthenticated:
    return NotAuthenticated("The issuer's answer does not hold.", where="oidc", todo="Sign in again from the start.")
