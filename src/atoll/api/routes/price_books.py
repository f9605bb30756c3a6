"""Prices by date."""

from __future__ import annotations

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Listing
from atoll.api.security import RoomsHere
from atoll.model.ledger import PriceBook

routes = Routes("costs")


@routes.get("/price-books", scope=Scope.COSTS_READ)
def list_price_books(rooms: RoomsHere) -> Listing[PriceBook]:
    """Every price book, oldest first; in force is the last that is valid from a day not after today (UTC)."""
    return Listing(items=rooms.usage.price_books)
