"""Keys with which sources sign in to the SFTP server."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Record


class SourceKey(Record):
    """A public key of a source."""

    kind: ClassVar[str] = "source_key"
    indexes: ClassVar[tuple[str, ...]] = ("source_id", "fingerprint")
    unique: ClassVar[tuple[str, ...]] = ("fingerprint",)

    source_id: str
    label: str
    #: In OpenSSH's form, without the comment.
    public_key: str
    #: `SHA256:<base64>`, as `ssh-keygen -l` shows it.
    fingerprint: str
    added_by: str
    created_at: datetime
