"""People of a directory or identity provider: they come in, their groups are read, and they leave."""

from __future__ import annotations

import logging
import re
from datetime import datetime

from atoll.access.group_map import Rights
from atoll.errors import AlreadyExists, AtollError, Unavailable, VersionConflict
from atoll.flows.browser_sessions import end_sessions
from atoll.flows.manage_people import revoke_tokens
from atoll.flows.rest_machines import rest_machines_of
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import LOGIN, PLATFORM, Membership, Person, Project
from atoll.model.record import new_id
from atoll.ports.identity import Identity
from atoll.ports.records import Put, every

log = logging.getLogger(__name__)

_TRIES = 10
#: With so many people or more, a directory that knows none of them is taken to be at fault.
BELIEVED = 3
GONE = "no longer in the directory, disabled there, or in no group that gives a right"


class TurnedAway(Exception):
    """Somebody who proved who they are, and yet does not come in.

    Attributes:
        reason: for the audit; the person is told no more than that login or password is wrong.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def admit(rooms: Rooms, origin: str, identity: Identity, *, vouched_until: datetime | None = None) -> Person:
    """The person on record, made at the first sign-in, with the roles and projects that the groups give.

    A login that belongs to somebody of another origin, or that the directory has given to
    somebody else since, opens nothing. Raises `TurnedAway`.
    """
    for _ in range(_TRIES):
        known = _known(rooms, origin, identity.subject)
        if known is None:
            _free(rooms, identity.login)
        elif not known.active and known.left_at is None:
            raise TurnedAway("deactivated")
        rights = rooms.sign_on.group_map.rights(identity.groups)
        if not rights.any:
            if known is not None and known.active:
                leave(rooms, known)
            raise TurnedAway("no group gives a right")
        try:
            person = _write(rooms, origin, identity, known, rights, vouched_until)
        except (VersionConflict, AlreadyExists):
            continue
        _join(rooms, person, rights)
        return person
    raise VersionConflict("The person is written to without end.", where=f"person/{identity.login}", todo="Try again.")


def read_directory(rooms: Rooms) -> int:
    """Compare people on record with the directory: roles and projects follow its groups, leavers go; how many did.

    Raises `Unavailable` when the directory cannot be asked, or says that nobody is left:
    then all stay as they are.
    """
    directory = rooms.sign_on.directory
    if directory is None:
        return 0
    people = {
        person.external_id.partition(":")[2]: person
        for person in every(rooms.records, Person, {"origin": directory.origin})
        if person.active and person.external_id is not None
    }
    found = directory.find(list(people), groups=True)
    if not found and len(people) >= BELIEVED:
        raise Unavailable("The directory knows nobody any more.", where=directory.origin, todo="Look at its settings.")
    changed = 0
    for subject, person in people.items():
        try:
            changed += follow(rooms, person, found.get(subject))
        except AtollError as error:
            facts = {"person": person.id, "error_code": error.code}
            log.warning("A person could not be compared with the directory.", extra={"fields": facts})
    return changed


def release_unvouched(rooms: Rooms) -> int:
    """People of an issuer, which cannot be asked, leave `oidc_trust_hours` after their last sign-in; how many."""
    issuer, now, left = rooms.sign_on.issuer, rooms.clock.now(), 0
    if issuer is None:
        return 0
    for person in every(rooms.records, Person, {"origin": issuer.origin}):
        if person.active and person.vouched_until is not None and person.vouched_until <= now:
            try:
                leave(rooms, person)
                left += 1
            except VersionConflict:
                # Signs in at this moment, or another process does this.
                continue
    return left


def leave(rooms: Rooms, person: Person) -> None:
    """The directory no longer vouches for the person: sessions and tokens end, machines hibernate."""
    now = rooms.clock.now()
    event = AuditEvent(action="person.leave", target=f"person/{person.id}", caller=PLATFORM, because=GONE)
    rooms.audit.record(event, Put(person.but(active=False, left_at=now)))
    end_sessions(rooms, PLATFORM, person.id, because=GONE)
    revoke_tokens(rooms, PLATFORM, person, because=GONE)
    rest_machines_of(rooms, person)


def follow(rooms: Rooms, person: Person, identity: Identity | None, vouched_until: datetime | None = None) -> int:
    """Give the person what their groups give now; 1 or more when something changed. Nobody, or no right, is to leave.

    Raises `VersionConflict`, and `Unavailable` for an answer that speaks of somebody else.
    """
    if identity is not None and person.external_id != f"{person.origin}:{identity.subject}":
        raise Unavailable("The answer is about somebody else.", where=person.origin)
    rights = None if identity is None else rooms.sign_on.group_map.rights(identity.groups)
    if identity is None or rights is None or not rights.any:
        leave(rooms, person)
        return 1
    written = _write(rooms, person.origin, identity, person, rights, vouched_until)
    return int(written.version != person.version) + _join(rooms, written, rights)


def _known(rooms: Rooms, origin: str, subject: str) -> Person | None:
    found = rooms.records.find(Person, where={"external_id": f"{origin}:{subject}"}, limit=1).records
    return found[0] if found else None


def _free(rooms: Rooms, login: str) -> None:
    if re.match(LOGIN, login) is None:
        raise TurnedAway("a login of this form cannot be used")
    if rooms.records.find(Person, where={"login": login}, limit=1).records:
        raise TurnedAway("the login belongs to somebody else on record")


def _write(
    rooms: Rooms, origin: str, identity: Identity, known: Person | None, rights: Rights, vouched: datetime | None
) -> Person:
    if known is None:
        changed = Person(
            id=new_id("per"),
            login=identity.login,
            display_name=identity.display_name[:200],
            roles=rights.roles,
            origin=origin,
            external_id=f"{origin}:{identity.subject}",
            vouched_until=vouched,
            created_at=rooms.clock.now(),
        )
    else:
        # The login stays as it was: it stands in audits, costs and names of machines.
        changed = known.but(
            display_name=identity.display_name[:200],
            roles=rights.roles,
            active=True,
            left_at=None,
            vouched_until=vouched,
        )
    if changed == known:
        return known
    event = AuditEvent(
        action="person.add" if known is None else "person.change",
        target=f"person/{changed.id}",
        caller=PLATFORM,
        because=f"groups of {origin}",
        details={"login": changed.login, "roles": sorted(role.value for role in rights.roles), "active": True},
    )
    rooms.audit.record(event, Put(changed))
    return rooms.records.get(Person, changed.id)


def _join(rooms: Rooms, person: Person, rights: Rights) -> int:
    """Join and leave projects as the groups say; memberships that people gave stay. How many changed."""
    changed = 0
    for project in every(rooms.records, Project):
        for _ in range(_TRIES):
            try:
                changed += _join_one(rooms, person, rooms.records.get(Project, project.id), rights)
                break
            except VersionConflict:
                continue
    return changed


def _join_one(rooms: Rooms, person: Person, project: Project, rights: Rights) -> int:
    terms = dict(project.terms)
    member, own = person.id in project.members, terms.get(person.id)
    if project.name in rights.projects and (not member or (own is not None and own.by_directory)):
        members = project.members | {person.id}
        terms[person.id] = Membership(lead=rights.projects[project.name], by_directory=True)
    elif project.name not in rights.projects and member and own is not None and own.by_directory:
        members = project.members - {person.id}
        del terms[person.id]
    else:
        return 0
    changed = project.but(members=members, terms=terms)
    if changed == project:
        return 0
    event = AuditEvent(
        action="project.join" if person.id in members else "project.leave",
        target=f"project/{project.name}",
        caller=PLATFORM,
        because=f"groups of {person.origin}",
        details={"person": person.id, "login": person.login},
    )
    rooms.audit.record(event, Put(changed))
    return 1
