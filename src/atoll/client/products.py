"""Products and sizes: the catalog of machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atoll.client.connection import Connection, Json, segment


class Products:
    """What can be launched, and at what price."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Iterator[Json]:
        """Of each product the version that a launch takes."""
        return self._connection.items("/products")

    def show(self, name: str) -> Json:
        """One product, with all its versions in short."""
        return self._connection.get(f"/products/{segment(name)}")

    def publish(self, text: str, projects: Iterable[str] | None = None) -> Json:
        """Put a product in force, for these projects or for all. Raises `ProductInvalid` with every finding."""
        body: Json = {"text": text}
        if projects is not None:
            body["projects"] = sorted(projects)
        return self._connection.post("/products", body)

    def deprecate(self, version: str) -> Json:
        """Warn of a version, `<name>@<number>`."""
        return self._connection.post(f"/products/{segment(version)}/deprecate", repeatable=True)

    def retire(self, version: str) -> Json:
        """Launch nothing from a version any more."""
        return self._connection.post(f"/products/{segment(version)}/retire", repeatable=True)

    def sizes(self) -> Iterator[Json]:
        """Sizes of machines with their prices."""
        return self._connection.items("/sizes")
