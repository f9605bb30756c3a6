"""Where the master key comes from."""

from __future__ import annotations

from typing import Protocol


class MasterKey(Protocol):
    """Seals and opens small secrets (keys of pseudonymisation domains).

    Implementations: a file of mode 0600, an environment variable, a cloud KMS.
    """

    #: A name for the key that may be shown and recorded; never the key itself.
    key_id: str

    def seal(self, secret: bytes, *, context: str) -> bytes:
        """Encrypt with authentication; `context` must be given again to open."""
        ...

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The secret. Raises `IntegrityBroken` when the key, context or bytes are wrong."""
        ...
