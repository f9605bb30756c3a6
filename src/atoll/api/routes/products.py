"""Products and sizes: the catalog of machines."""

from __future__ import annotations

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Listing
from atoll.api.schemas.products import ProductAnswer, ProductDetail, ProductText, SizeAnswer
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import manage_products as story
from atoll.flows.rooms import Rooms
from atoll.model.workspace import ProductVersion, Size

routes = Routes("products")


@routes.get("/products", scope=Scope.PRODUCTS_READ)
def list_products(rooms: RoomsHere, caller: CallerHere) -> Listing[ProductAnswer]:
    """Of each product the version that a launch takes, with prices."""
    return Listing(items=tuple(_answer(rooms, version) for version in story.list_products(rooms, caller)))


@routes.post("/products", scope=Scope.PRODUCTS_WRITE, status_code=201)
def publish_product(rooms: RoomsHere, caller: CallerHere, body: ProductText) -> ProductAnswer:
    """Put a product in force as its next version; an error lists every finding."""
    return _answer(rooms, story.publish_product(rooms, caller, body.text, body.projects))


@routes.get("/products/{name}", scope=Scope.PRODUCTS_READ)
def show_product(rooms: RoomsHere, caller: CallerHere, name: str) -> ProductDetail:
    """One product: the version that a launch takes, and all versions in short."""
    return ProductDetail.whole(story.show_product(rooms, caller, name), _sizes(rooms))


@routes.post("/products/{id}/deprecate", scope=Scope.PRODUCTS_WRITE)
def deprecate_product(rooms: RoomsHere, caller: CallerHere, id: str) -> ProductAnswer:
    """Warn of a version, `<name>@<number>`, from now on."""
    return _answer(rooms, story.deprecate_product(rooms, caller, id))


@routes.post("/products/{id}/retire", scope=Scope.PRODUCTS_WRITE)
def retire_product(rooms: RoomsHere, caller: CallerHere, id: str) -> ProductAnswer:
    """Launch nothing from a version any more; machines launched from it go on."""
    return _answer(rooms, story.retire_product(rooms, caller, id))


@routes.get("/sizes", scope=Scope.PRODUCTS_READ)
def list_sizes(rooms: RoomsHere) -> Listing[SizeAnswer]:
    """Sizes of machines with their prices."""
    return Listing(items=tuple(map(SizeAnswer.of, rooms.catalog.sizes())))


def _answer(rooms: Rooms, version: ProductVersion) -> ProductAnswer:
    return ProductAnswer.priced(version, _sizes(rooms))


def _sizes(rooms: Rooms) -> dict[str, Size]:
    return {size.name: size for size in rooms.catalog.sizes()}
