"""Which backend a product is launched on, and what it falls back to there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atoll.errors import Conflict, NotFound, Unavailable
from atoll.model.workspace import HibernateKind, Product
from atoll.ports.backend import Capabilities
from atoll.workspaces.product_checks import FALLBACKS


@dataclass(frozen=True)
class Placement:
    """A backend by name, and in words what is done instead of what it lacks."""

    backend: str
    fallbacks: tuple[str, ...] = ()


def place(product: Product, backends: Mapping[str, Capabilities], asked: str | None = None) -> Placement:
    """The first backend that has all the product needs, else the first where it may fall back.

    With `asked` only that one is looked at. Raises `Unavailable` when there is no
    backend at all, `NotFound` for one that is not there, `Conflict` where none will do.
    """
    if not backends:
        raise Unavailable("No backend is set up, so no machine can run.", todo="Ask an operator to look at the server.")
    if asked is not None and asked not in backends:
        raise NotFound(
            "There is no such backend.", where=f"backend/{asked}", todo=f"Choose among: {', '.join(backends)}."
        )
    looked_at = {asked: backends[asked]} if asked is not None else backends
    lacking = {name: missing(product, capabilities) for name, capabilities in looked_at.items()}
    fitting = [name for name, lacks in lacking.items() if not lacks]
    bending = [name for name, lacks in lacking.items() if lacks <= product.fallback.keys()]
    if not fitting and not bending:
        told = "; ".join(f"{name} lacks {', '.join(sorted(lacks))}" for name, lacks in lacking.items())
        raise Conflict(
            f"No backend can run {product.name}: {told}.",
            where=f"product/{product.name}",
            todo="Choose another product.",
        )
    name = (fitting or bending)[0]
    return Placement(name, tuple(_words(name, lack, product.fallback[lack]) for lack in sorted(lacking[name])))


def missing(product: Product, capabilities: Capabilities) -> frozenset[str]:
    """The capabilities that the product needs and the backend lacks."""
    has = {
        "mount": capabilities.mount,
        "desktop": capabilities.desktop,
        "hibernate": capabilities.hibernate is not HibernateKind.NONE,
        "hibernate_to_disk": capabilities.hibernate is HibernateKind.DISK,
        # Any backend starts a stopped machine in another size; the capability is to do it live.
        "resize": capabilities.resize == "live",
    }
    return frozenset(need for need in product.needs if not has[need])


def _words(backend: str, capability: str, instead: str) -> str:
    return f"Backend {backend} cannot {capability}, so {FALLBACKS[capability][instead]}."
