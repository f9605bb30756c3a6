"""Contracts are checked, explained and put in force; and the published ones are read."""

from __future__ import annotations

from atoll.deid import Explanation, explain, parse_contract
from atoll.errors import AlreadyExists, ContractInvalid, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.contract import Contract, ContractVersion
from atoll.model.dataset import Dataset
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.proposal import ContractProposal
from atoll.ports.records import Put, Write, every


def check(text: str) -> Contract:
    """The contract in the YAML. Raises `ContractInvalid` with every finding."""
    return parse_contract(text)


def explain_text(text: str) -> Explanation:
    """What the contract does to each column, in words and as the plan."""
    return explain(parse_contract(text))


def check_with_others(rooms: Rooms, text: str) -> Contract:
    """The contract in the YAML, in agreement with those in force. Raises `ContractInvalid`."""
    contract = parse_contract(text)
    _check_domains(rooms, contract)
    return contract


def put_in_force(rooms: Rooms, caller: Caller, text: str, number: int, approved: ContractProposal) -> ContractVersion:
    """Publish a reviewed text as version `number`, together with the approval of its proposal.

    The keys of its domains are made if they are not there. Raises `ContractInvalid`, and
    `VersionConflict` when the proposal was decided or another version came first.
    """
    contract = check_with_others(rooms, text)
    published = ContractVersion(
        id=f"{contract.dataset}@{number}",
        dataset=contract.dataset,
        number=number,
        text=text,
        sha256=approved.sha256,
        proposed_by=approved.proposed_by,
        published_by=caller.name,
        published_at=rooms.clock.now(),
    )
    event = AuditEvent(
        action="contract.publish",
        target=f"contract/{published.id}",
        caller=caller,
        because=f"contract_proposal/{approved.id}",
        details={"sha256": approved.sha256, "tables": sorted(contract.tables), "proposed_by": approved.proposed_by},
    )
    try:
        rooms.audit.record(event, *_writes(rooms, contract, published), Put(approved))
    except AlreadyExists:
        raise VersionConflict(
            "Another version came first.", where=published.id, todo="Propose the text anew."
        ) from None
    return rooms.records.get(ContractVersion, published.id)


def latest(rooms: Rooms, dataset: str) -> ContractVersion:
    """The contract in force. Raises `NotFound`."""
    found = latest_or_none(rooms, dataset)
    if found is None:
        raise NotFound(
            "No contract is published for the dataset.", where=dataset, todo="Propose one: atoll contract propose FILE."
        )
    return found


def latest_or_none(rooms: Rooms, dataset: str) -> ContractVersion | None:
    """The contract in force, None before the first."""
    return max(versions(rooms, dataset), key=lambda version: version.number, default=None)


def versions(rooms: Rooms, dataset: str) -> tuple[ContractVersion, ...]:
    """Every published version of the dataset's contract, newest first."""
    found = every(rooms.records, ContractVersion, {"dataset": dataset})
    return tuple(sorted(found, key=lambda version: -version.number))


def numbered(rooms: Rooms, dataset: str, number: int) -> ContractVersion:
    """One published version. Raises `NotFound`."""
    return rooms.records.get(ContractVersion, f"{dataset}@{number}")


def list_latest(rooms: Rooms) -> tuple[ContractVersion, ...]:
    """The contract in force of every dataset that has one, by name."""
    newest: dict[str, ContractVersion] = {}
    for version in every(rooms.records, ContractVersion):
        if version.dataset not in newest or version.number > newest[version.dataset].number:
            newest[version.dataset] = version
    return tuple(newest[name] for name in sorted(newest))


def _check_domains(rooms: Rooms, contract: Contract) -> None:
    """A domain has one key in all datasets, so its date offsets must have one range as well."""
    findings = []
    for other in list_latest(rooms):
        if other.dataset == contract.dataset:
            continue
        for name, domain in parse_contract(other.text).domains.items():
            mine = contract.domains.get(name)
            if mine is not None and mine.max_shift_days != domain.max_shift_days:
                findings.append(
                    f"domains.{name}: max_shift_days is {mine.max_shift_days}, but {domain.max_shift_days} in "
                    f"{other.id}; one person would be shifted differently in each."
                )
    if findings:
        raise ContractInvalid(
            "The contract does not agree with those in force.",
            findings=tuple(findings),
            todo="Use the same max_shift_days, or a domain of another name.",
        )


def _writes(rooms: Rooms, contract: Contract, published: ContractVersion) -> list[Write]:
    writes: list[Write] = [Put(published)]
    for domain in contract.domains:
        writes.extend(rooms.keyring.ensure(domain))
    described = {"title": contract.title, "description": contract.description, "owner": contract.owner}
    try:
        dataset = rooms.records.get(Dataset, contract.dataset)
        writes.append(Put(dataset.but(**described)))
    except NotFound:
        fresh = Dataset(id=contract.dataset, created_at=rooms.clock.now(), title="").but(**described)
        writes.append(Put(fresh))
    return writes
