"""The catalog of machines: products in versions, and sizes."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.errors import Conflict, NotFound
from atoll.model.person import Caller
from atoll.model.workspace import Product, ProductState, ProductVersion, Size
from atoll.ports.clock import Clock
from atoll.ports.records import Put, RecordStore, Write, every
from atoll.workspaces.product_text import parse_product
from atoll.workspaces.sizes import load_sizes


class Catalog:
    """Products on record and sizes by name. It returns writes; who calls it does them, with the audit."""

    def __init__(self, records: RecordStore, clock: Clock, sizes: Sequence[Size] | None = None) -> None:
        """`sizes` are those there are; None: the table that ships with Atoll."""
        self._records = records
        self._clock = clock
        self._sizes = tuple(sizes) if sizes is not None else load_sizes()
        self._by_name = {size.name: size for size in self._sizes}

    def sizes(self) -> tuple[Size, ...]:
        """Every size, in the order of the table."""
        return self._sizes

    def size(self, name: str) -> Size:
        """The size. Raises `NotFound`."""
        try:
            return self._by_name[name]
        except KeyError:
            raise NotFound(
                "There is no such size.", where=f"size/{name}", todo=f"Choose among: {', '.join(self._by_name)}."
            ) from None

    def check(self, text: str) -> Product:
        """The product that the YAML states. Raises `ProductInvalid` with every finding."""
        return parse_product(text, self._by_name)

    def publish(self, text: str, caller: Caller, projects: frozenset[str] | None = None) -> tuple[Write, ...]:
        """The writes that put the text in force as the next version; the first puts the `ProductVersion`.

        The text that is in force already makes no new version: its projects are changed
        if they differ, and otherwise there is nothing to write. Raises `ProductInvalid`.
        """
        product = self.check(text)
        versions = self.versions(product.name)
        current = versions[-1] if versions else None
        if current is not None and current.text == text and current.state is ProductState.PUBLISHED:
            return () if current.projects == projects else (Put(current.but(projects=projects)),)
        number = 1 if current is None else current.number + 1
        published = ProductVersion(
            id=f"{product.name}@{number}",
            name=product.name,
            number=number,
            text=text,
            product=product,
            projects=projects,
            published_by=caller.name,
            published_at=self._clock.now(),
        )
        return (Put(published),)

    def versions(self, name: str) -> tuple[ProductVersion, ...]:
        """Every version of a product, oldest first; none when there is no such product."""
        return tuple(sorted(self._all({"name": name}), key=lambda version: version.number))

    def latest(self, name: str) -> ProductVersion:
        """The version that a launch takes: the newest published one, else the newest deprecated, else retired.

        Raises `NotFound`.
        """
        versions = self.versions(name)
        if not versions:
            raise _no_product(name)
        return _best(versions)

    def version(self, version_id: str) -> ProductVersion:
        """One version, by `<name>@<number>`. Raises `NotFound`."""
        try:
            return self._records.get(ProductVersion, version_id)
        except NotFound:
            raise _no_product(version_id) from None

    def list(self) -> tuple[ProductVersion, ...]:
        """For every product the version that `latest` gives, by name."""
        by_name: dict[str, list[ProductVersion]] = {}
        for version in self._all(None):
            by_name.setdefault(version.name, []).append(version)
        return tuple(_best(sorted(by_name[name], key=lambda version: version.number)) for name in sorted(by_name))

    def deprecate(self, version_id: str) -> tuple[Write, ...]:
        """Warn of the version from now on. Nothing to write when it is deprecated. Raises `NotFound`, `Conflict`."""
        version = self.version(version_id)
        if version.state is ProductState.RETIRED:
            raise Conflict(
                "The version is retired, which is more than deprecated.",
                where=f"product/{version_id}",
                todo="Publish a new version.",
            )
        return self._in_state(version, ProductState.DEPRECATED)

    def retire(self, version_id: str) -> tuple[Write, ...]:
        """Launch nothing from the version any more. Nothing to write when it is retired. Raises `NotFound`."""
        return self._in_state(self.version(version_id), ProductState.RETIRED)

    def _in_state(self, version: ProductVersion, state: ProductState) -> tuple[Write, ...]:
        return () if version.state is state else (Put(version.but(state=state)),)

    def _all(self, where: dict[str, str] | None) -> tuple[ProductVersion, ...]:
        return tuple(every(self._records, ProductVersion, where))


def _best(versions: Sequence[ProductVersion]) -> ProductVersion:
    rank = (ProductState.RETIRED, ProductState.DEPRECATED, ProductState.PUBLISHED)
    return max(versions, key=lambda version: (rank.index(version.state), version.number))


def _no_product(name: str) -> NotFound:
    return NotFound(
        "There is no such product.", where=f"product/{name}", todo="`atoll product list` tells which there are."
    )
