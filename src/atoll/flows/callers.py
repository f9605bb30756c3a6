"""From a person on record to the caller they are now, under the rules of the settings."""

from __future__ import annotations

from atoll.access.callers import DataRules, caller_of
from atoll.flows.rooms import Rooms
from atoll.model.person import Caller, Person


def caller_now(rooms: Rooms, person: Person, address: str = "", request_id: str = "") -> Caller:
    """The person as who makes a request at this moment."""
    return caller_of(person, rooms.clock.now(), data_rules(rooms), address=address, request_id=request_id)


def data_rules(rooms: Rooms) -> DataRules:
    """What the settings ask of people before data is open to them."""
    return DataRules(training=rooms.settings.training_required, agreement=rooms.settings.agreement_required)
