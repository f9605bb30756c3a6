"""Sources: who delivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atoll.client.connection import Connection, Json, segment


class Sources:
    """Laboratories and third parties that deliver files."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Json]:
        """Every source."""
        return self._connection.items("/sources")

    def add(self, name: str, title: str, datasets: Iterable[str]) -> Json:
        """A new source that may deliver to these datasets."""
        body = {"name": name, "title": title, "datasets": sorted(datasets)}
        return self._connection.post("/sources", body)

    def show(self, name: str) -> Json:
        """One source."""
        return self._connection.get(f"/sources/{segment(name)}")

    def change(self, name: str, *, datasets: Iterable[str] | None = None, active: bool | None = None) -> Json:
        """Change what is given."""
        body: Json = {}
        if datasets is not None:
            body["datasets"] = sorted(datasets)
        if active is not None:
            body["active"] = active
        return self._connection.patch(f"/sources/{segment(name)}", body)

    def token(self, name: str, label: str) -> Json:
        """A new credential that can only deliver; `token` holds the secret, told once."""
        return self._connection.post(f"/sources/{segment(name)}/tokens", {"label": label})

    def keys(self, name: str) -> Iterator[Json]:
        """Public keys with which it signs in by SFTP."""
        return self._connection.items(f"/sources/{segment(name)}/keys")

    def add_key(self, name: str, public_key: str, label: str) -> Json:
        """Let the holder of the key deliver by SFTP."""
        body = {"public_key": public_key, "label": label}
        return self._connection.post(f"/sources/{segment(name)}/keys", body)

    def remove_key(self, name: str, id: str) -> None:
        """The key opens nothing any more."""
        self._connection.delete(f"/sources/{segment(name)}/keys/{segment(id)}")
