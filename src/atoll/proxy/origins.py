"""Origins: where a machine is, as its visitors' browsers know it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from atoll.errors import InvalidInput

#: Ids of workspaces that can be reached; the hyphen of a host name stands for the underscore.
WORKSPACE = re.compile(r"[a-z0-9][a-z0-9_]{0,59}\Z")


@dataclass(frozen=True)
class Origin:
    """The origin of one machine.

    Attributes:
        workspace: id of the workspace, and nobody else's.
        scheme: `http` or `https`.
        host: what the Host header must say.
        own_host: whether no other machine shares the host name (cookies do not know ports).
    """

    workspace: str
    scheme: str
    host: str
    own_host: bool

    @property
    def text(self) -> str:
        """As in the Origin header."""
        return f"{self.scheme}://{self.host}"

    @property
    def base(self) -> str:
        """Path under which the machine's service is."""
        return f"/w/{self.workspace}/"

    @property
    def websocket(self) -> str:
        """The origin as a source of WebSockets."""
        return f"{'wss' if self.scheme == 'https' else 'ws'}://{self.host}"


class HostNames:
    """A host name for each machine, from `https://{workspace}.machines.example.org`. Raises `InvalidInput`."""

    def __init__(self, url: str) -> None:
        match = re.fullmatch(r"(https?)://\{workspace\}\.([a-z0-9.-]+(?::\d+)?)/?", url.lower())
        if match is None:
            raise InvalidInput(
                "The address of machines cannot be used.",
                where=url,
                todo="Write it like https://{workspace}.machines.example.org.",
            )
        self._scheme, self._domain = match[1], match[2]

    def origin(self, workspace: str) -> Origin:
        """The origin of the workspace."""
        return Origin(workspace, self._scheme, f"{workspace.replace('_', '-')}.{self._domain}", own_host=True)

    def find(self, host: str) -> Origin | None:
        """The origin that the Host header names, None if it is no machine's."""
        label, _, domain = host.lower().partition(".")
        workspace = label.replace("-", "_")
        if domain != self._domain or WORKSPACE.match(workspace) is None:
            return None
        return self.origin(workspace)
