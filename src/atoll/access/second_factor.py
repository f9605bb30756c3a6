"""Codes of second factors: TOTP (RFC 6238) as common apps show them, and recovery codes. Pure but for chance."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime

import pyotp

from atoll.access.tokens import digest

#: RFC 6238, section 5.2: 30 seconds, and one step either way for clocks that differ.
STEP_SECONDS = 30
_STEPS_EITHER_WAY = 1
#: RFC 4226, section 4, R6: 160 bits.
_SECRET_BYTES = 20
RECOVERY_CODES = 10
_RECOVERY = re.compile(r"[a-z2-7]{16}\Z")


def new_secret() -> bytes:
    """A fresh shared secret."""
    return secrets.token_bytes(_SECRET_BYTES)


def as_text(secret: bytes) -> str:
    """The secret in base 32, to be typed into an app."""
    return base64.b32encode(secret).decode()


def uri(secret: bytes, login: str) -> str:
    """What an app reads from a QR code."""
    return pyotp.TOTP(as_text(secret)).provisioning_uri(name=login, issuer_name="Atoll")


def matching_step(secret: bytes, code: str, now: datetime, last_step: int) -> int | None:
    """The time step whose code this is, None when it is wrong, too old, or not after `last_step`.

    Every step is compared, in the same time.
    """
    totp = pyotp.TOTP(as_text(secret))
    current = int(now.timestamp()) // STEP_SECONDS
    given = re.sub(r"\s", "", code).encode()
    found: int | None = None
    for step in range(current - _STEPS_EITHER_WAY, current + _STEPS_EITHER_WAY + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), given) and step > last_step:
            found = step
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Codes for when the device is lost, each good once."""
    texts = (base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES))
    return tuple("-".join(text[i : i + 4] for i in range(0, 16, 4)) for text in texts)


def recovery_hash(code: str) -> str | None:
    """The hash under which a recovery code is kept, None for what has not its form."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return digest(plain) if _RECOVERY.match(plain) else None
