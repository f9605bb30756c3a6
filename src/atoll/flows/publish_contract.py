"""A contract is checked, explained, published; and the published ones are read."""

from __future__ import annotations

import hashlib

from atoll.deid import Explanation, explain, parse_contract
from atoll.errors import ContractInvalid, NotFound, VersionConflict
from atoll.flows.rooms import Rooms
from atoll.model.contract import Contract, ContractVersion
from atoll.model.dataset import Dataset
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.ports.records import Put, Write, every

_TRIES = 5


def check(text: str) -> Contract:
    """The contract in the YAML. Raises `ContractInvalid` with every finding."""
    return parse_contract(text)


def explain_text(text: str) -> Explanation:
    """What the contract does to each column, in words and as the plan."""
    return explain(parse_contract(text))


def publish(rooms: Rooms, caller: Caller, text: str) -> ContractVersion:
    """Put the contract in force for its dataset; the next admission uses it.

    The keys of its domains are made if they are not there. Publishing the text in
    force again changes nothing and returns it. Raises `ContractInvalid`.
    """
    contract = parse_contract(text)
    _check_domains(rooms, contract)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    for _ in range(_TRIES):
        current = _latest_or_none(rooms, contract.dataset)
        if current is not None and current.sha256 == sha256:
            return current
        published = _next_version(rooms, caller, contract, text, sha256, current)
        try:
            rooms.audit.record(
                AuditEvent(
                    action="contract.publish",
                    target=f"contract/{published.id}",
                    caller=caller,
                    details={"sha256": sha256, "tables": sorted(contract.tables)},
                ),
                *_writes(rooms, contract, published),
            )
        except VersionConflict:
            continue
        return rooms.records.get(ContractVersion, published.id)
    raise VersionConflict(
        "Others publish contracts for this dataset at the same time.", where=contract.dataset, todo="Try again."
    )


def latest(rooms: Rooms, dataset: str) -> ContractVersion:
    """The contract in force. Raises `NotFound`."""
    found = _latest_or_none(rooms, dataset)
    if found is None:
        raise NotFound(
            "No contract is published for the dataset.", where=dataset, todo="Publish one: atoll contract publish FILE."
        )
    return found


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


def _latest_or_none(rooms: Rooms, dataset: str) -> ContractVersion | None:
    found = every(rooms.records, ContractVersion, {"dataset": dataset})
    return max(found, key=lambda v: v.number, default=None)


def _next_version(
    rooms: Rooms, caller: Caller, contract: Contract, text: str, sha256: str, current: ContractVersion | None
) -> ContractVersion:
    number = 1 if current is None else current.number + 1
    return ContractVersion(
        id=f"{contract.dataset}@{number}",
        dataset=contract.dataset,
        number=number,
        text=text,
        sha256=sha256,
        published_by=caller.name,
        published_at=rooms.clock.now(),
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
