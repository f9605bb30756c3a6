"""How an OpenID Connect issuer is reached, and what is read of its tokens."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from atoll.errors import InvalidInput


@dataclass(frozen=True)
class OidcOptions:
    """One issuer.

    Attributes:
        client_secret: empty for a public client.
        login_claim: where a new person's login comes from.
        groups_claim: where groups are; dots lead inwards.
        ca_file: certificates that vouch for the issuer; None: those of the host.
        timeout_seconds: for each answer.
    """

    issuer: str
    client_id: str
    client_secret: SecretStr = field(default=SecretStr(""))
    scopes: str = "openid profile email"
    login_claim: str = "preferred_username"
    groups_claim: str = "groups"
    ca_file: Path | None = None
    timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        """Raises `InvalidInput`."""
        if not is_safe(self.issuer):
            raise _refused("ATOLL_OIDC_ISSUER", "An issuer has an address that begins with https://.")
        if not self.client_id:
            raise _refused("ATOLL_OIDC_CLIENT_ID", "The issuer must know Atoll by a client id.")
        if "openid" not in self.scopes.split():
            raise _refused("ATOLL_OIDC_SCOPES", "The scope `openid` must be asked for.")


def is_safe(url: str) -> bool:
    """Whether an address is https, or on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"


def _refused(setting: str, why: str) -> InvalidInput:
    return InvalidInput(f"The issuer cannot be used: {why}", where=setting, todo="Mend the setting and start again.")
