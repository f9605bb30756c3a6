"""A project with a scientist, a grant to the small trial, and a workspace."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from atoll.flows import grant_access
from atoll.flows.rooms import Rooms
from atoll.model.grant import Grant, TableGrant
from atoll.model.person import Caller, Person, Project, Role, SubjectKind
from atoll.model.workspace import Observed, Workspace
from atoll.ports.records import Put

STEWARD = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_stew", name="stew", roles=frozenset({Role.STEWARD}))


class LaterClock:
    """A clock that is moved."""

    def __init__(self, clock):
        self._clock = clock
        self.ahead = timedelta()

    def now(self):
        return self._clock.now() + self.ahead


def add_people(rooms: Rooms, project: str = "heart", login: str = "ada") -> None:
    now = rooms.clock.now()
    person = Person(
        id=f"per_{login}",
        login=login,
        display_name=login.title(),
        roles=frozenset({Role.SCIENTIST}),
        created_at=now,
    )
    made = Project(
        id=f"prj_{project}", name=project, title=project.title(), members=frozenset({person.id}), created_at=now
    )
    rooms.records.transact([Put(person), Put(made)])


def give(rooms: Rooms, *tables: TableGrant, project: str = "heart", **more) -> Grant:
    return grant_access.add_grant(
        rooms, STEWARD, project=project, dataset="trial", tables=tables or None, reason="study", **more
    )


def workspace(rooms: Rooms, id: str = "wsp_1", project: str = "heart", login: str = "ada", **more) -> Workspace:
    now = rooms.clock.now()
    facts = {
        "name": "lab",
        "owner": f"per_{login}",
        "owner_login": login,
        "project": project,
        "product": "jupyter@1",
        "size": "t3.small",
        "backend": "sandbox",
        "eur_per_hour": Decimal("0.36"),
        "created_at": now,
        "expires_at": now + timedelta(days=30),
        "observed": Observed(at=now),
        **more,
    }
    return rooms.records.put(Workspace(id=id, **facts))
