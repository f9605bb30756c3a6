"""May this state change? Rules on the things themselves, whoever asks.

Pure: each function returns when the change is allowed and raises when it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from atoll.errors import Conflict, InvalidInput, NotPermitted
from atoll.model.dataset import DatasetVersion, TableState
from atoll.model.delivery import HOLDS, Delivery
from atoll.model.grant import Grant, TableGrant
from atoll.model.key_change import KeyChange, KeyChangeState
from atoll.model.person import Caller, Person, Role
from atoll.model.proposal import ContractProposal, ProposalState

#: NIST SP 800-63B-4, 3.1.1.2: at least 15 characters where the password is the only factor.
PASSWORD_MIN_CHARACTERS = 15
#: Long enough for any passphrase, short enough that hashing it costs no more than another.
PASSWORD_MAX_CHARACTERS = 256
#: A credential that never ends is never looked at again.
TOKEN_MAX_DAYS = 366


def good_password(password: str, login: str) -> None:
    """Length, and not the login itself; no rules on kinds of characters (NIST SP 800-63B-4).

    Raises `InvalidInput`; the message holds nothing of the password.
    """
    if not PASSWORD_MIN_CHARACTERS <= len(password) <= PASSWORD_MAX_CHARACTERS:
        raise InvalidInput(
            f"A password has {PASSWORD_MIN_CHARACTERS} to {PASSWORD_MAX_CHARACTERS} characters.",
            where="password",
            todo="Choose a longer one; several words do well.",
        )
    if len(set(password)) < 5 or login.casefold() in password.casefold():
        raise InvalidInput(
            "The password is too easy to guess.",
            where="password",
            todo="Choose one of more different characters that does not hold the login.",
        )


def token_lifetime(now: datetime, expires_at: datetime) -> None:
    """A token ends after now, within `TOKEN_MAX_DAYS`. Raises `InvalidInput`."""
    if not now < expires_at <= now + timedelta(days=TOKEN_MAX_DAYS):
        raise InvalidInput(
            f"A token ends in the future and within {TOKEN_MAX_DAYS} days.",
            where="expires_at",
            todo="Choose an earlier end and renew in time.",
        )


def change_person(caller: Caller, person: Person, roles: frozenset[Role], active: bool) -> None:
    """Nobody changes their own roles or deactivates themselves.

    So rights always come from somebody else, and an administrator always remains.
    """
    if caller.subject_id == person.id and (roles != person.roles or not active):
        raise NotPermitted(
            "Nobody changes their own roles or deactivates themselves.",
            where=f"person/{person.login}",
            todo="Ask another administrator.",
        )


def dates_of_others(caller: Caller, person: Person, changed: Person) -> None:
    """Nobody puts on record that they themselves are trained or have signed."""
    before = (person.training_until, person.agreement_until)
    if caller.subject_id == person.id and before != (changed.training_until, changed.agreement_until):
        raise NotPermitted(
            "Nobody sets their own dates of training and agreement.",
            where=f"person/{person.login}",
            todo="Ask another administrator.",
        )


def roles_of_directory(person: Person, changed: Person) -> None:
    """Roles of people of a directory follow its groups; what is set here would be gone in a minute."""
    if person.origin != "local" and changed.roles != person.roles:
        raise Conflict(
            f"The roles of this person come from groups of {person.origin}.",
            where=f"person/{person.login}",
            todo="Change the groups there, or what they give in the group map.",
        )


def join_project(person: Person) -> None:
    """Only active people become members."""
    if not person.active:
        raise Conflict("The person is deactivated.", where=f"person/{person.login}", todo="Activate the person first.")


def membership_ends(now: datetime, until: datetime | None) -> None:
    """A membership ends in the future, or not by itself. Raises `InvalidInput`."""
    if until is not None and until <= now:
        raise InvalidInput("A membership ends in the future.", where="until", todo="Choose a later end, or none.")


def add_grant(standing: Grant | None, now: datetime, expires_at: datetime | None) -> None:
    """At most one grant stands for a project and dataset, and a new one ends in the future."""
    if standing is not None and standing.holds(now):
        raise Conflict(
            "The project already has a grant to this dataset.",
            where=f"grant/{standing.id}",
            todo="Revoke it first, then give the new one.",
        )
    grant_ends(now, expires_at)


def grant_ends(now: datetime, expires_at: datetime | None) -> None:
    """A grant ends in the future, or not by itself. Raises `InvalidInput`."""
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("A grant ends in the future.", where="expires_at", todo="Choose a later end, or none.")


def revoke_grant(grant: Grant) -> None:
    """A grant is revoked once."""
    if grant.revoked_at is not None:
        raise Conflict("The grant is already revoked.", where=f"grant/{grant.id}", todo="Nothing to do.")


def granted_tables_exist(tables: Iterable[TableGrant], version: DatasetVersion | None) -> None:
    """A grant names tables and columns that the version granted has, each once.

    A name that is not there would grant whatever later comes under it.
    """
    if version is None:
        raise Conflict(
            "The dataset has no version yet, so its tables are not known.",
            where="tables",
            todo="Grant every table (leave `tables` out), or wait for the first delivery.",
        )
    known = {state.table: state for state in version.tables}
    named: set[str] = set()
    for grant in tables:
        if grant.table not in known or grant.table in named:
            raise InvalidInput(
                f"Table {grant.table} is not in the dataset, or named twice.",
                where="tables",
                todo=f"Choose among: {', '.join(sorted(known))}.",
            )
        named.add(grant.table)
        _columns_exist(grant, known[grant.table])
    if not named:
        raise InvalidInput("The grant names no table.", where="tables", todo="Name one, or leave `tables` out.")


def _columns_exist(grant: TableGrant, state: TableState) -> None:
    if grant.columns is None:
        return
    known = {column.name for column in state.columns}
    missing = [name for name in grant.columns if name not in known]
    if missing or not grant.columns or len(set(grant.columns)) != len(grant.columns):
        raise InvalidInput(
            f"The columns granted of {grant.table} are none, named twice, or not there"
            + (f": {', '.join(sorted(missing))}." if missing else "."),
            where=f"tables, {grant.table}",
            todo=f"Choose among: {', '.join(sorted(known))}.",
        )


def review_proposal(caller: Caller, proposal: ContractProposal) -> None:
    """A contract's change is decided once, by another person than its author."""
    _waits(proposal)
    if caller.subject_id == proposal.proposer_id:
        raise NotPermitted(
            "Nobody reviews their own proposal.",
            where=f"contract_proposal/{proposal.id}",
            todo="Ask another steward to review it.",
        )


def decide_key_change(caller: Caller, change: KeyChange) -> None:
    """What is asked of a key is decided once, by another person than asked it."""
    if change.state is not KeyChangeState.WAITING:
        raise Conflict(
            f"It was decided already: {change.state}.", where=f"key_change/{change.id}", todo="Ask anew if need be."
        )
    if caller.subject_id == change.asker_id:
        raise NotPermitted(
            "Nobody decides on what they asked of a key themselves.",
            where=f"key_change/{change.id}",
            todo="Ask another steward to decide; you may withdraw it.",
        )


def withdraw_key_change(caller: Caller, change: KeyChange) -> None:
    """Who asked may take it back while it waits."""
    if change.state is not KeyChangeState.WAITING:
        raise Conflict(
            f"It was decided already: {change.state}.", where=f"key_change/{change.id}", todo="Nothing to withdraw."
        )
    if caller.subject_id != change.asker_id:
        raise NotPermitted("Another person asked this.", where=f"key_change/{change.id}", todo="Refuse it instead.")


def approve_proposal(proposal: ContractProposal, in_force: int) -> None:
    """What was compared is what will be replaced: no other version came into force meanwhile."""
    if in_force != proposal.replaces:
        raise Conflict(
            f"The proposal would replace version {proposal.replaces}, but {in_force} is in force now.",
            where=f"contract_proposal/{proposal.id}",
            todo="Look at what changed, and propose the text anew.",
        )


def withdraw_proposal(caller: Caller, proposal: ContractProposal) -> None:
    """Its author takes a proposal back while it waits."""
    _waits(proposal)
    if caller.subject_id != proposal.proposer_id:
        raise NotPermitted(
            "A proposal is withdrawn by its author.",
            where=f"contract_proposal/{proposal.id}",
            todo="Refuse it instead, with a reason.",
        )


def _waits(proposal: ContractProposal) -> None:
    if proposal.state is not ProposalState.WAITING:
        raise Conflict(
            f"The proposal is {proposal.state.value} already.",
            where=f"contract_proposal/{proposal.id}",
            todo="Propose the text anew if it is still wanted.",
        )


def replay_delivery(delivery: Delivery, contract: str) -> None:
    """There is something held to replay, its files are here, and another contract than the one that held it."""
    outcome = delivery.outcome
    if outcome is None or delivery.rejection is not None:
        what = "was rejected" if delivery.rejection is not None else "is not admitted yet"
        raise Conflict(f"The delivery {what}.", where=delivery.id, todo="Replay one that was admitted in part.")
    if not outcome.rows_quarantined and all(file.accepted for file in outcome.files):
        raise Conflict("Nothing of the delivery is held.", where=delivery.id, todo="Nothing to replay.")
    if delivery.purged_at is not None:
        raise Conflict("The delivered files are gone.", where=delivery.id, todo="Have the source deliver them again.")
    last = delivery.replays[-1].contract if delivery.replays else outcome.contract
    # Whether a held delivery is within its thresholds depends on what else is there by now.
    if last == contract and all(file.rule not in HOLDS for file in outcome.files):
        raise Conflict(
            f"The contract in force, {contract}, is the one that held these rows.",
            where=delivery.id,
            todo="Propose a mended contract and have it approved, then replay.",
        )


def reject_delivery(delivery: Delivery) -> None:
    """A delivery is rejected once, and only while something of it could still enter."""
    if delivery.rejection is not None:
        raise Conflict("The delivery was rejected already.", where=delivery.id, todo="Nothing to do.")
    outcome = delivery.outcome
    if outcome is not None and not outcome.rows_quarantined and all(file.accepted for file in outcome.files):
        raise Conflict("All of the delivery has entered.", where=delivery.id, todo="Nothing is held to reject.")
