"""Operators publish products, deprecate and retire them; people see what they may launch."""

from __future__ import annotations

from atoll.access import permissions
from atoll.access.directory import project_by_name
from atoll.access.scopes import Scope
from atoll.errors import Conflict, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import PLATFORM, Caller, Project
from atoll.model.workspace import Product, ProductVersion
from atoll.ports.records import Write, every
from atoll.workspaces.product_text import shipped_products

_TRIES = 5


def list_products(rooms: Rooms, caller: Caller) -> tuple[ProductVersion, ...]:
    """Of each product that the caller may see the version that a launch takes, by name."""
    permissions.require(caller, Scope.PRODUCTS_READ)
    mine = _projects(rooms, caller)
    return tuple(_told(version, mine) for version in rooms.catalog.list() if _seen(version, mine))


def show_product(rooms: Rooms, caller: Caller, name: str) -> tuple[ProductVersion, ...]:
    """Every version of a product, the one that a launch takes first, then newest first. Raises `NotFound`."""
    permissions.require(caller, Scope.PRODUCTS_READ)
    mine = _projects(rooms, caller)
    versions = [version for version in reversed(rooms.catalog.versions(name)) if _seen(version, mine)]
    if not versions:
        raise permissions.not_found("product", name)
    first = rooms.catalog.latest(name).id
    return tuple(_told(version, mine) for version in sorted(versions, key=lambda version: version.id != first))


def check_product(rooms: Rooms, caller: Caller, text: str) -> Product:
    """The product in the YAML. Raises `ProductInvalid` with every finding."""
    permissions.require(caller, Scope.PRODUCTS_READ)
    return rooms.catalog.check(text)


def publish_product(rooms: Rooms, caller: Caller, text: str, projects: frozenset[str] | None = None) -> ProductVersion:
    """Put the product in force for these projects (None: for every project).

    Publishing the text in force again changes nothing but its projects. Raises
    `ProductInvalid`, `NotFound` for an unknown project.
    """
    permissions.require(caller, Scope.PRODUCTS_WRITE)
    for name in projects or ():
        project_by_name(rooms.records, name)
    for _ in range(_TRIES):
        try:
            return _publish(rooms, caller, text, projects)
        except VersionConflict:
            continue
    raise VersionConflict("Others publish products at the same time.", where="products", todo="Try again.")


def deprecate_product(rooms: Rooms, caller: Caller, version_id: str) -> ProductVersion:
    """Warn of a version, `<name>@<number>`, from now on. Raises `NotFound`, `Conflict` for a retired one."""
    permissions.require(caller, Scope.PRODUCTS_WRITE)
    return _write(rooms, caller, "product.deprecate", version_id, rooms.catalog.deprecate(version_id))


def retire_product(rooms: Rooms, caller: Caller, version_id: str) -> ProductVersion:
    """Launch nothing from a version any more; machines launched from it go on. Raises `NotFound`."""
    permissions.require(caller, Scope.PRODUCTS_WRITE)
    return _write(rooms, caller, "product.retire", version_id, rooms.catalog.retire(version_id))


def ensure_shipped(rooms: Rooms) -> None:
    """Publish the products that ship with Atoll, where no operator has published their own. Idempotent.

    A product whose newest version came with Atoll follows it; a version that somebody
    deprecated or retired stays so.
    """
    for text in shipped_products():
        versions = rooms.catalog.versions(rooms.catalog.check(text).name)
        if any(version.text == text or version.published_by != PLATFORM.name for version in versions):
            continue
        try:
            _publish(rooms, PLATFORM, text, versions[-1].projects if versions else None)
        except Conflict:
            # Another process has just done it.
            continue


def _publish(rooms: Rooms, caller: Caller, text: str, projects: frozenset[str] | None) -> ProductVersion:
    name = rooms.catalog.check(text).name
    writes = rooms.catalog.publish(text, caller, projects)
    if not writes:
        return rooms.catalog.latest(name)
    rooms.audit.record(
        AuditEvent(
            action="product.publish",
            target=f"product/{name}",
            caller=caller,
            details={"projects": None if projects is None else sorted(projects)},
        ),
        *writes,
    )
    return rooms.catalog.latest(name)


def _write(rooms: Rooms, caller: Caller, action: str, version_id: str, writes: tuple[Write, ...]) -> ProductVersion:
    if writes:
        rooms.audit.record(AuditEvent(action=action, target=f"product/{version_id}", caller=caller), *writes)
    return rooms.catalog.version(version_id)


def _projects(rooms: Rooms, caller: Caller) -> frozenset[str] | None:
    """Names of the projects the caller knows of; None for every project."""
    if permissions.has(caller, Scope.PRODUCTS_WRITE) or permissions.has(caller, Scope.WORKSPACES_READ):
        return None
    return frozenset(
        project.name for project in every(rooms.records, Project) if permissions.is_member(caller, project)
    )


def _seen(version: ProductVersion, mine: frozenset[str] | None) -> bool:
    return mine is None or version.projects is None or bool(version.projects & mine)


def _told(version: ProductVersion, mine: frozenset[str] | None) -> ProductVersion:
    """The version without the names of projects that the caller does not know of."""
    return version if mine is None or version.projects is None else version.but(projects=version.projects & mine)
