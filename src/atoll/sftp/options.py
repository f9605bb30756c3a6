"""What the server is set to, and what it asks of the platform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """How the server answers.

    Attributes:
        root: directory of the sources' folders, `<root>/<source>/<dataset>/<delivery>/<file>`.
        host_key: the server's own key (Ed25519), made when absent.
        source_bytes: most that a source may have lying in its folder.
        source_connections: most connections of one source at once.
        connections: most connections at once, those that have not signed in too.
        idle_seconds: a connection that does not answer for so long is closed.
    """

    host: str
    port: int
    root: Path
    host_key: Path
    source_bytes: int
    source_connections: int = 8
    connections: int = 64
    idle_seconds: float = 90.0
    sign_in_seconds: float = 30.0


@dataclass(frozen=True)
class Callbacks:
    """What the server asks of the platform; each is called in a thread.

    Attributes:
        datasets: those that the source of this name may deliver to with the key of this
            fingerprint; None when it may not. Asked at sign-in and for each thing it writes.
        signed_in: name, fingerprint and address of a source that has proven to hold the key.
        arrived: something was written or renamed; look at the inbox soon.
    """

    datasets: Callable[[str, str], frozenset[str] | None]
    signed_in: Callable[[str, str, str], None]
    arrived: Callable[[], None]
