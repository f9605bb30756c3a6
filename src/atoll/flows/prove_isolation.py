"""Somebody has a machine tried from inside: every attempt to break out of it, kept as evidence.

In a running workspace, or in a machine that is made for the proof alone and taken away
after it. The attempts are the backend's; what they came to is on record with its hash,
and the hash is in the audit chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import AlreadyExists, Conflict, InvalidInput, NotFound, Unavailable
from atoll.flows.rooms import Rooms
from atoll.flows.write_workspace import find_workspace
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Operation
from atoll.model.person import Caller
from atoll.model.proof import Proof
from atoll.model.record import new_id
from atoll.model.workspace import MachineState, ProductState, ProductVersion
from atoll.ports.backend import Backend
from atoll.ports.records import Page, Put

#: Names of the stories, and their visible steps.
PROVE, PROVE_STEPS = "prove_workspace", ("probe", "keep")
PROVE_FRESH, PROVE_FRESH_STEPS = "prove_fresh_machine", ("start", "probe", "destroy", "keep")
_DEADLINE_SECONDS = 3600.0


@dataclass(frozen=True)
class ProofView:
    """A proof with the operation that makes it."""

    proof: Proof
    operation: Operation


def prove(rooms: Rooms, caller: Caller, workspace_id: str, *, bombs: bool = False) -> ProofView:
    """Have a running workspace tried; for its owner and for operators.

    With `bombs` processes and memory are used up as well, which disturbs what runs there,
    so that is for its owner alone. Raises `NotFound`, `NotPermitted`, and `Conflict` when
    it does not run, is being tried, or its backend cannot.
    """
    permissions.require(caller, Scope.WORKSPACES_PROVE)
    workspace, project = find_workspace(rooms, workspace_id)
    permissions.prove_workspace(caller, workspace, project, bombs=bombs)
    _able(rooms.backends.get(workspace.backend), workspace.backend)
    if workspace.observed.state is not MachineState.RUNNING:
        raise Conflict(
            "The workspace does not run.",
            where=f"workspace/{workspace_id}",
            todo="Wake it first, or have a machine made for the proof.",
        )
    return _ask(
        rooms,
        caller,
        workspace=workspace_id,
        product=workspace.product,
        backend=workspace.backend,
        bombs=bombs,
        project=workspace.project,
    )


def prove_fresh(
    rooms: Rooms, caller: Caller, *, product: str | None = None, backend: str | None = None, bombs: bool = False
) -> ProofView:
    """Have a small machine of a product tried that is made for it and taken away after.

    Without `product` the first of the catalog that needs no parameters; without `backend`
    the first that can. One at a time for each person. With `bombs` its disk is filled, too.

    Raises `NotPermitted`, `NotFound`, `InvalidInput` for a product that needs parameters,
    `Conflict` when one is under way, `Unavailable` when no backend can.
    """
    permissions.require(caller, Scope.WORKSPACES_PROVE)
    version = _product(rooms, caller, product)
    able = [name for name, one in rooms.backends.items() if one.capabilities.probes and backend in (None, name)]
    if not able:
        raise Unavailable("No backend here can try its machines.", where=backend or "", todo="See `atoll doctor`.")
    under_way = (show(rooms, caller, proof.id).operation for proof in _own(rooms, caller) if proof.workspace is None)
    if any(operation.open for operation in under_way):
        raise Conflict("A proof of yours is under way.", todo="Wait until it is done.")
    return _ask(rooms, caller, workspace=None, product=version.id, backend=able[0], bombs=bombs, project=None)


def show(rooms: Rooms, caller: Caller, proof_id: str, workspace_id: str | None = None) -> ProofView:
    """One proof, of that workspace if given. Raises `NotFound`, also for one the caller may not see."""
    permissions.require(caller, Scope.WORKSPACES_READ_OWN)
    try:
        proof = rooms.records.get(Proof, proof_id)
    except NotFound:
        raise permissions.not_found("proof", proof_id) from None
    if workspace_id is not None and proof.workspace != workspace_id:
        raise permissions.not_found("proof", proof_id)
    if proof.asked_by != caller.subject_id and not permissions.has(caller, Scope.WORKSPACES_READ):
        if proof.workspace is None:
            raise permissions.not_found("proof", proof_id)
        try:
            permissions.see_workspace(caller, *find_workspace(rooms, proof.workspace))
        except NotFound:
            # Not by the workspace's id: that would tell whose proof it is.
            raise permissions.not_found("proof", proof_id) from None
    return ProofView(proof, rooms.operations.get(proof.operation_id))


def list_proofs(
    rooms: Rooms, caller: Caller, *, workspace_id: str | None = None, cursor: str | None = None, limit: int = 100
) -> Page[Proof]:
    """Proofs, newest first: of a workspace, or all that the caller asked for (with `workspaces:read` all there are)."""
    permissions.require(caller, Scope.WORKSPACES_READ_OWN)
    where: dict[str, str] | None = None
    if workspace_id is not None:
        permissions.see_workspace(caller, *find_workspace(rooms, workspace_id))
        where = {"workspace": workspace_id}
    elif not permissions.has(caller, Scope.WORKSPACES_READ):
        where = {"asked_by": caller.subject_id}
    return rooms.records.find(Proof, where=where, cursor=cursor, limit=limit, newest_first=True)


def _own(rooms: Rooms, caller: Caller) -> Iterable[Proof]:
    """The newest of those that the caller asked for."""
    return rooms.records.find(Proof, where={"asked_by": caller.subject_id}, limit=20, newest_first=True).records


def _ask(
    rooms: Rooms,
    caller: Caller,
    *,
    workspace: str | None,
    product: str,
    backend: str,
    bombs: bool,
    project: str | None,
) -> ProofView:
    """Put proof and operation on record with the audit. At most one is under way for a machine."""
    proof_id = new_id("prf")
    operation = rooms.operations.plan(
        story=PROVE_FRESH if workspace is None else PROVE,
        # The machine that is made for it is the operation's own, so that no sweeper takes it meanwhile.
        # A workspace is not held up by a proof: it may be stopped at any time.
        subject=f"workspace/{proof_id}" if workspace is None else f"proof/{workspace}",
        steps=PROVE_FRESH_STEPS if workspace is None else PROVE_STEPS,
        caller=caller,
        deadline_seconds=_DEADLINE_SECONDS,
        params={"proof": proof_id},
    )
    proof = Proof(
        id=proof_id,
        workspace=workspace,
        asked_by=caller.subject_id,
        asked_by_name=caller.name,
        asked_at=rooms.clock.now(),
        product=product,
        backend=backend,
        bombs=bombs,
        operation_id=operation.id,
    )
    event = AuditEvent(
        action="workspace.prove",
        target=f"workspace/{proof.machine}",
        caller=caller,
        details={"proof": proof_id, "product": product, "backend": backend, "bombs": bombs, "project": project},
    )
    try:
        rooms.audit.record(event, Put(operation), Put(proof))
    except AlreadyExists:
        raise Conflict("The workspace is being tried.", where=f"workspace/{workspace}", todo="Wait.") from None
    rooms.operations.woken.set()
    return ProofView(rooms.records.get(Proof, proof_id), rooms.operations.get(operation.id))


def _product(rooms: Rooms, caller: Caller, wanted: str | None) -> ProductVersion:
    if wanted is not None:
        version = rooms.catalog.version(wanted) if "@" in wanted else rooms.catalog.latest(wanted)
        if not _open_to(caller, version):
            raise permissions.not_found("product", wanted)
        if version.product.parameters.get("required"):
            raise InvalidInput(
                "A machine for a proof is made without parameters, and this product needs some.",
                where=f"product/{version.id}",
                todo="Choose another product, or prove a workspace of it.",
            )
        return version
    for version in rooms.catalog.list():
        usable = version.state is ProductState.PUBLISHED and not version.product.parameters.get("required")
        if usable and _open_to(caller, version):
            return version
    raise permissions.not_found("product", "without parameters")


def _open_to(caller: Caller, version: ProductVersion) -> bool:
    return version.projects is None or permissions.has(caller, Scope.PRODUCTS_WRITE)


def _able(backend: Backend | None, name: str) -> None:
    if backend is None or not backend.capabilities.probes:
        raise Conflict(f"Machines of {name} cannot be tried from inside.", todo="See `atoll doctor`.")
