"""A contract is drafted from sample files, which are looked at once and kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.deid.draft import Draft, SampleFile, draft_contract
from atoll.deliveries.private_files import write_private
from atoll.errors import InvalidInput
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller

FILES_MAX = 200


def draft(rooms: Rooms, caller: Caller, dataset: str, samples: Sequence[tuple[str, bytes]]) -> Draft:
    """A draft for files like these: their names, and their beginnings (SAS transport: whole).

    Raises `NotPermitted`, and `InvalidInput` for samples that cannot be read.
    """
    permissions.require(caller, Scope.CONTRACTS_WRITE)
    if not 1 <= len(samples) <= FILES_MAX:
        raise InvalidInput(f"A draft is made from 1 to {FILES_MAX} files.", todo="Give one of each kind.")
    rooms.audit.record(
        AuditEvent(
            action="contract.draft",
            target=f"dataset/{dataset}",
            caller=caller,
            details={"files": len(samples), "bytes": sum(len(content) for _, content in samples)},
        )
    )
    with rooms.quarantine.scratch() as place:
        files = []
        for number, (name, content) in enumerate(samples):
            path = place / str(number)
            write_private(path, content)
            files.append(SampleFile(name, path))
        return draft_contract(dataset, files)
