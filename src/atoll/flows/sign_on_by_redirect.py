"""People sign on by redirect: sent to the issuer, and back with a code.

Nothing is kept between the two but a secret in the browser's cookie: state, nonce and
code verifier are derived from it, so that a code is good in the browser that asked for
it and in no other, and strangers can fill no store.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from atoll.errors import NotAuthenticated, NotFound
from atoll.flows.ask_issuer import keep
from atoll.flows.directory_people import TurnedAway, admit
from atoll.flows.rooms import Rooms
from atoll.flows.sign_in import refuse_sign_in
from atoll.model.person import Person
from atoll.ports.identity import TokenIssuer


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and what it must keep meanwhile."""

    url: str
    secret: str


def depart(rooms: Rooms, redirect_uri: str) -> Departure:
    """Begin a sign-on. Raises `NotFound` without an issuer, `Unavailable`."""
    secret = secrets.token_urlsafe(32)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(_part(secret, "verifier").encode()).digest()).rstrip(b"=")
    url = _issuer(rooms).authorization_url(
        state=_part(secret, "state"),
        nonce=_part(secret, "nonce"),
        code_challenge=challenge.decode(),
        redirect_uri=redirect_uri,
    )
    return Departure(url, secret)


def arrive(
    rooms: Rooms, *, secret: str, state: str, code: str, redirect_uri: str, address: str, request_id: str
) -> Person:
    """The person behind the code. Raises `NotAuthenticated`, `Unavailable`; a refusal is on record."""
    issuer = _issuer(rooms)
    if not secret or not hmac.compare_digest(_part(secret, "state").encode(), state.encode()):
        raise NotAuthenticated(
            "This sign-on was not begun in this browser, or too long ago.", where="oidc", todo="Begin it again."
        )
    try:
        identity = issuer.redeem(
            code=code,
            code_verifier=_part(secret, "verifier"),
            nonce=_part(secret, "nonce"),
            redirect_uri=redirect_uri,
        )
    except NotAuthenticated:
        refuse_sign_in(rooms, "the issuer's answer does not hold", "", address, request_id)
        raise
    until = rooms.clock.now() + timedelta(hours=rooms.settings.oidc_trust_hours)
    try:
        person = admit(rooms, issuer.origin, identity, vouched_until=until)
    except TurnedAway as turned:
        refuse_sign_in(rooms, turned.reason, identity.login, address, request_id)
        raise NotAuthenticated(
            "You are known there, but may not come in here.", where="oidc", todo="Ask an administrator of Atoll."
        ) from None
    keep(rooms, person, identity.refresh_token)
    return person


def own_path(text: str) -> str:
    """A path of ours to go to after sign-on; `/` for anything that could lead elsewhere.

    Browsers read `//host`, `/\\host` and paths with control characters as other hosts.
    """
    odd = any(character in '\\"' or not character.isprintable() or character.isspace() for character in text)
    return text if text.startswith("/") and not text.startswith(("//", "/api/")) and not odd else "/"


def _issuer(rooms: Rooms) -> TokenIssuer:
    if rooms.sign_on.issuer is None:
        raise NotFound("There is no sign-on by redirect here.", where="oidc", todo="See `GET /api/v1/session/methods`.")
    return rooms.sign_on.issuer


def _part(secret: str, use: str) -> str:
    """43 characters of the unreserved set, as RFC 7636 section 4.1 asks of a verifier."""
    made = hmac.new(secret.encode(), f"atoll sign-on {use}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
