"""Proofs of isolation: asked for, listed, and downloaded as evidence."""

from __future__ import annotations

from atoll.access.scopes import Scope
from atoll.api.routing import Routes
from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.api.schemas.proofs import NewFreshProof, NewProof, ProofAnswer, ProofLine
from atoll.api.security import CallerHere, RoomsHere
from atoll.flows import prove_isolation

routes = Routes("workspaces")


@routes.post("/workspaces/{id}/proofs", scope=Scope.WORKSPACES_PROVE, status_code=202)
def prove_workspace(rooms: RoomsHere, caller: CallerHere, id: str, body: NewProof) -> ProofAnswer:
    """Have every attempt to break out made inside a running workspace."""
    return ProofAnswer.of(prove_isolation.prove(rooms, caller, id, bombs=body.bombs))


@routes.get("/workspaces/{id}/proofs", scope=Scope.WORKSPACES_READ_OWN)
def list_workspace_proofs(
    rooms: RoomsHere, caller: CallerHere, id: str, cursor: Cursor = None, limit: Limit = 100
) -> Listing[ProofLine]:
    """Proofs of a workspace, newest first."""
    page = prove_isolation.list_proofs(rooms, caller, workspace_id=id, cursor=cursor, limit=limit)
    return Listing(items=tuple(map(ProofLine.line, page.records)), cursor=page.cursor)


@routes.get("/workspaces/{id}/proofs/{proof}", scope=Scope.WORKSPACES_READ_OWN)
def show_workspace_proof(rooms: RoomsHere, caller: CallerHere, id: str, proof: str) -> ProofAnswer:
    """A proof of a workspace: every attempt and what came of it."""
    return ProofAnswer.of(prove_isolation.show(rooms, caller, proof, id))


@routes.post("/proofs", scope=Scope.WORKSPACES_PROVE, status_code=202)
def prove_fresh_machine(rooms: RoomsHere, caller: CallerHere, body: NewFreshProof) -> ProofAnswer:
    """Have every attempt to break out made inside a machine that is made for it and taken away after."""
    view = prove_isolation.prove_fresh(rooms, caller, product=body.product, backend=body.backend, bombs=body.bombs)
    return ProofAnswer.of(view)


@routes.get("/proofs", scope=Scope.WORKSPACES_READ_OWN)
def list_proofs(rooms: RoomsHere, caller: CallerHere, cursor: Cursor = None, limit: Limit = 100) -> Listing[ProofLine]:
    """Proofs that one asked for, newest first; with `workspaces:read` all there are."""
    page = prove_isolation.list_proofs(rooms, caller, cursor=cursor, limit=limit)
    return Listing(items=tuple(map(ProofLine.line, page.records)), cursor=page.cursor)


@routes.get("/proofs/{id}", scope=Scope.WORKSPACES_READ_OWN)
def show_proof(rooms: RoomsHere, caller: CallerHere, id: str) -> ProofAnswer:
    """A proof: every attempt and what came of it."""
    return ProofAnswer.of(prove_isolation.show(rooms, caller, id))
