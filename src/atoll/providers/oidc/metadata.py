"""What an issuer says of itself: its endpoints and its keys, asked for again when a key is new."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from atoll.errors import Unavailable
from atoll.providers.oidc.options import OidcOptions, is_safe

#: How long endpoints and keys are believed; an unknown key is asked for at once.
_KEEP_SECONDS = 3600.0
_MAX_BYTES = 2**20


@dataclass(frozen=True)
class Endpoints:
    """Where the issuer does what (OpenID Connect Discovery 1.0, section 3)."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    #: How the client proves itself at the token endpoint.
    secret_in_body: bool


class Metadata:
    """Endpoints and keys of an issuer, read when first needed. Safe for threads."""

    def __init__(self, options: OidcOptions) -> None:
        self._options = options
        context = ssl.create_default_context(cafile=None if options.ca_file is None else str(options.ca_file))
        self.http = httpx.Client(verify=context, timeout=options.timeout_seconds, follow_redirects=False)
        self._lock = threading.Lock()
        self._endpoints: tuple[float, Endpoints] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def endpoints(self) -> Endpoints:
        """Raises `Unavailable`, also when the issuer speaks for another."""
        with self._lock:
            if self._endpoints is None or self._endpoints[0] < time.monotonic():
                self._endpoints = (time.monotonic() + _KEEP_SECONDS, self._discover())
            return self._endpoints[1]

    def keys(self, *, kid: str | None) -> KeySet:
        """The issuer's keys; asked for once more when none has this id. Raises `Unavailable`."""
        url = self.endpoints().keys
        with self._lock:
            held = self._keys
            if held is None or held[0] < time.monotonic() or not _has(held[1], kid):
                held = self._keys = (time.monotonic() + _KEEP_SECONDS, self._read_keys(url))
            return held[1]

    def get(self, url: str, token: str | None = None) -> Mapping[str, Any]:
        """A JSON object. Raises `Unavailable`."""
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = self.http.get(url, headers=headers)
        except httpx.HTTPError as error:
            raise away(type(error).__name__) from None
        return read_object(answer)

    def _discover(self) -> Endpoints:
        issuer = self._options.issuer
        said = self.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise away("it says that it is another issuer")
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        userinfo = said.get("userinfo_endpoint")
        return Endpoints(
            authorization=_address(said.get("authorization_endpoint")),
            token=_address(said.get("token_endpoint")),
            keys=_address(said.get("jwks_uri")),
            userinfo=None if userinfo is None else _address(userinfo),
            secret_in_body="client_secret_basic" not in methods,
        )

    def _read_keys(self, url: str) -> KeySet:
        try:
            return KeySet.import_key_set({"keys": self.get(url)["keys"]})
        except (JoseError, KeyError, TypeError, ValueError):
            raise away("its keys cannot be read") from None


def read_object(answer: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of a good answer. Raises `Unavailable`; nothing of the answer is told."""
    if answer.status_code != 200 or len(answer.content) > _MAX_BYTES:
        raise away(f"it answers {answer.status_code}")
    try:
        said = answer.json()
    except ValueError:
        raise away("its answer is no JSON") from None
    if not isinstance(said, dict):
        raise away("its answer is no JSON object")
    return said


def away(why: str) -> Unavailable:
    """The issuer cannot be asked, or not be believed."""
    return Unavailable(f"The issuer cannot be asked: {why}.", where="oidc", todo="Try again; `atoll doctor` says more.")


def _address(url: object) -> str:
    if not isinstance(url, str) or not is_safe(url):
        raise away("it names an endpoint that is not https")
    return url


def _has(keys: KeySet, kid: str | None) -> bool:
    return kid is None or any(key.kid == kid for key in keys.keys)
