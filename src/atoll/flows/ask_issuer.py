"""The issuer is asked again and again whether those who signed on by it are still there.

By the refresh grant (RFC 6749, section 6). Issuers may give a new refresh token each time and take a second
use of the old one for theft (RFC 9700, section 4.14), so a token is claimed on record before it is used, and
by one process only; whatever never came back makes the next refusal one that says nothing of the person.
"""

from __future__ import annotations

import base64
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from enum import Enum

from atoll.errors import AtollError, NotAuthenticated, NotFound, Unavailable, VersionConflict
from atoll.flows.browser_sessions import end_sessions
from atoll.flows.directory_people import BELIEVED, follow, leave
from atoll.flows.rooms import Rooms
from atoll.model.person import PLATFORM, Person
from atoll.model.vouched import Vouched
from atoll.ports.identity import AnswerLost, Renewed, TokenIssuer
from atoll.ports.keys import MasterKey
from atoll.ports.records import Delete, every

log = logging.getLogger(__name__)

#: People asked about at once, so that many are through within the time of a pass.
_AT_ONCE = 8
#: After so long an asking is taken to have ended with its process; longer than the answers may take.
_ASKING = timedelta(minutes=1)
LOST = "the issuer cannot be asked about the person any more"


class _Said(Enum):
    VOUCHED = "vouched"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"


def keep(rooms: Rooms, person: Person, refresh_token: str | None) -> None:
    """Keep what the issuer gave at a sign-on, in place of what it gave before. Without it nothing is kept."""
    now, master = rooms.clock.now(), rooms.sign_on.master
    if refresh_token is None or master is None:
        return
    sealed = _seal(master, person.id, refresh_token)
    for _ in range(10):
        try:
            version = rooms.records.get(Vouched, person.id).version
        except NotFound:
            version = 0
        try:
            rooms.records.put(Vouched(id=person.id, version=version, sealed=sealed, vouched_at=now, asked_at=now))
            return
        except VersionConflict:
            continue


def ask_issuer(rooms: Rooms) -> int:
    """Ask about everybody whose turn it is: their groups are followed, who is refused has left; how many have.

    Raises `Unavailable` when the issuer cannot be asked, or refuses everybody: then all stay, until
    `oidc_grace_hours` after it last vouched for them.
    """
    issuer, master = rooms.sign_on.issuer, rooms.sign_on.master
    if issuer is None or master is None:
        return 0
    asker = _Asker(rooms, issuer, master)
    due = [one for one in every(rooms.records, Vouched) if asker.is_due(one)]
    refused: list[tuple[Person, Vouched]] = []
    asked = left = 0
    away = False
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ask-issuer") as pool:
        while due and not away:
            some, due = due[:_AT_ONCE], due[_AT_ONCE:]
            told = list(pool.map(asker.ask, some))
            refused += [who for said, who in told if said is _Said.REFUSED and who is not None]
            left += sum(asker.is_over(*who) for said, who in told if said is _Said.UNKNOWN and who is not None)
            asked += sum(said in (_Said.VOUCHED, _Said.REFUSED) for said, _ in told)
            away = all(said is _Said.UNKNOWN for said, _ in told)
    # Nobody else is asked about while it is away; who has been away from its word for too long goes all the same.
    left += sum(asker.is_over(*who) for who in map(asker.of, due) if who is not None)
    if len(refused) >= BELIEVED and len(refused) == asked:
        left += sum(asker.is_over(*who) for who in refused)
        raise Unavailable("The issuer refuses everybody.", where=issuer.origin, todo="Look at it, and at its settings.")
    left += sum(asker.let_go(*who) for who in refused)
    if away:
        raise Unavailable("The issuer cannot be asked.", where=issuer.origin, todo="`atoll doctor` says more.")
    return left


class _Asker:
    """Asks about one person at a time; safe for threads and beside other processes."""

    def __init__(self, rooms: Rooms, issuer: TokenIssuer, master: MasterKey) -> None:
        self._rooms, self._issuer, self._master = rooms, issuer, master

    def is_due(self, vouched: Vouched) -> bool:
        since = self._rooms.clock.now() - vouched.asked_at
        # A little early rather than a whole round late.
        return since >= (_ASKING if vouched.asking else timedelta(seconds=self._rooms.settings.oidc_ask_seconds / 2))

    def ask(self, vouched: Vouched) -> tuple[_Said, tuple[Person, Vouched] | None]:
        """What the issuer says; and of whom, with what is on record of the asking, when they may have to go."""
        who = self.of(vouched)
        claimed = self._claim(vouched) if who is not None else None
        if who is None or claimed is None:
            return _Said.NOT_ASKED, None
        person = who[0]
        if claimed.sealed is None:
            return _Said.UNKNOWN, (person, self._ended(claimed))
        try:
            token = self._master.open(base64.b64decode(claimed.sealed), context=_context(person.id)).decode()
            renewed = self._issuer.renew(token)
        except NotAuthenticated:
            if claimed.uncertain:
                return _Said.UNKNOWN, (person, self._lost(claimed))
            return _Said.REFUSED, (person, self._ended(claimed))
        except AtollError as error:
            self._note(person, error)
            return _Said.UNKNOWN, (person, self._ended(claimed, uncertain=isinstance(error, AnswerLost)))
        self._vouch(claimed, token, renewed)
        self._follow(person, renewed)
        return _Said.VOUCHED, None

    def of(self, vouched: Vouched) -> tuple[Person, Vouched] | None:
        """Whom to ask about; None for who has left already, of whom nothing is kept."""
        try:
            person = self._rooms.records.get(Person, vouched.id)
            if person.active and person.origin == self._issuer.origin:
                return person, vouched
            self._rooms.records.transact([Delete(vouched)])
        except (NotFound, VersionConflict):
            log.debug("The person signs on at this moment.")
        return None

    def is_over(self, person: Person, vouched: Vouched) -> bool:
        """Let the person go when nobody has vouched for them for longer than is allowed."""
        grace = timedelta(hours=self._rooms.settings.oidc_grace_hours)
        return self._rooms.clock.now() - vouched.vouched_at > grace and self.let_go(person, vouched)

    def let_go(self, person: Person, vouched: Vouched) -> bool:
        """The person has left, unless they have signed on again meanwhile."""
        try:
            if self._rooms.records.get(Vouched, person.id).version != vouched.version:
                return False
            leave(self._rooms, person)
            self._rooms.records.transact([Delete(vouched)])
        except (NotFound, VersionConflict):
            return False
        return True

    def _claim(self, vouched: Vouched) -> Vouched | None:
        """None when another process asks, or the person signs on at this moment."""
        # An asking that never ended may have used the token up.
        uncertain = vouched.uncertain or vouched.asking
        claim = vouched.but(asking=True, asked_at=self._rooms.clock.now(), uncertain=uncertain)
        try:
            return self._rooms.records.put(claim)
        except VersionConflict:
            return None

    def _ended(self, claimed: Vouched, *, uncertain: bool | None = None) -> Vouched:
        """The asking has ended without an answer that changes anything."""
        known = claimed.uncertain if uncertain is None else claimed.uncertain or uncertain
        return self._put(claimed.but(asking=False, uncertain=known))

    def _lost(self, claimed: Vouched) -> Vouched:
        """The token is of no use: the person is to sign in again, and their machines stand for the time of grace."""
        end_sessions(self._rooms, PLATFORM, claimed.id, because=LOST)
        return self._put(claimed.but(asking=False, sealed=None))

    def _vouch(self, claimed: Vouched, used: str, renewed: Renewed) -> None:
        token = renewed.refresh_token or used
        sealed = claimed.sealed if token == used else _seal(self._master, claimed.id, token)
        now = self._rooms.clock.now()
        self._put(claimed.but(sealed=sealed, vouched_at=now, asking=False, uncertain=False))

    def _put(self, vouched: Vouched) -> Vouched:
        try:
            return self._rooms.records.put(vouched)
        except VersionConflict:
            # The person has signed on meanwhile, and what came with that holds.
            return vouched

    def _follow(self, person: Person, renewed: Renewed) -> None:
        if renewed.identity is None:
            return
        now, trust = self._rooms.clock.now(), timedelta(hours=self._rooms.settings.oidc_trust_hours)
        until = person.vouched_until
        try:
            # Written seldom: each is an entry of the audit.
            follow(self._rooms, person, renewed.identity, until if until and until > now + trust / 2 else now + trust)
        except AtollError as error:
            self._note(person, error)

    def _note(self, person: Person, error: AtollError) -> None:
        facts = {"person": person.id, "error_code": error.code}
        log.warning("The issuer could not be asked about a person.", extra={"fields": facts})


def _seal(master: MasterKey, person_id: str, token: str) -> str:
    return base64.b64encode(master.seal(token.encode(), context=_context(person_id))).decode()


def _context(person_id: str) -> str:
    return f"refresh token of {person_id}"
