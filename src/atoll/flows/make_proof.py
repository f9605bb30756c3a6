"""The steps of a proof: a machine, the attempts inside it, the evidence."""

from __future__ import annotations

import hashlib
import json
import platform
import socket
from collections.abc import Mapping
from functools import partial
from typing import Any

from atoll import __version__
from atoll.errors import Conflict, NotFound, Unavailable
from atoll.flows.prove_isolation import PROVE, PROVE_FRESH
from atoll.flows.rooms import Rooms
from atoll.model.ledger import AuditEvent
from atoll.model.operation import Failure
from atoll.model.person import PLATFORM
from atoll.model.proof import Evidence, ProbeResult, Proof
from atoll.model.workspace import Desired, MachineState, Resource, Workspace
from atoll.operations import StepContext, Story
from atoll.operations.live import DeadlinePassed
from atoll.ports.backend import Backend, MachineSpec, ProbeFacts
from atoll.ports.records import Put, every

_START_SECONDS = 120.0
_PAUSE_SECONDS = 0.1
#: Of a machine made for a proof: enough to start, little to fill.
_HOME_BYTES = 64 * 2**20
_OTHERS = 5


def stories(rooms: Rooms) -> Mapping[str, Story]:
    """The stories for the runner, by name."""
    probe, keep = ("probe", partial(_probe, rooms)), ("keep", partial(_keep, rooms))
    fresh = (("start", partial(_start, rooms)), probe, ("destroy", partial(_destroy, rooms)), keep)
    return {
        PROVE: Story(PROVE, (probe, keep), lambda _context, _failure: None),
        PROVE_FRESH: Story(PROVE_FRESH, fresh, partial(_abandon, rooms)),
    }


def _start(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """The ledger row first, then the machine; it runs when this is done."""
    proof = _proof(rooms, context)
    backend = _backend(rooms, proof)
    product = rooms.catalog.version(proof.product).product
    size = min(map(rooms.catalog.size, product.sizes), key=lambda one: one.memory_bytes)
    try:
        rooms.records.get(Resource, proof.id)
    except NotFound:
        row = Resource(
            id=proof.id,
            workspace=proof.id,
            operation=context.operation.id,
            backend=proof.backend,
            size=size.name,
            made_at=rooms.clock.now(),
        )
        rooms.records.put(row)
    spec = MachineSpec(
        workspace=proof.id,
        token=proof.id,
        environment=product.environment,
        service=product.service,
        base_url=f"/w/{proof.id}/",
        vcpu=size.vcpu,
        memory_bytes=size.memory_bytes,
        home_bytes=min(product.home_bytes, _HOME_BYTES),
    )
    backend.create(spec)
    until = rooms.clock.now().timestamp() + _START_SECONDS
    while (seen := backend.observe(proof.id)).state is not MachineState.RUNNING:
        if seen.state is MachineState.STOPPED:
            raise Conflict(f"The machine ended before it answered. {seen.detail}".strip(), where=proof.id)
        if rooms.clock.now().timestamp() > until:
            raise DeadlinePassed("The machine did not answer in time.", where=proof.id)
        context.wait(_PAUSE_SECONDS)
    return {}


def _probe(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Every attempt, and a look at the neighbours after it."""
    proof = _proof(rooms, context)
    backend = _backend(rooms, proof)
    neighbours = _running_beside(backend, proof.machine)
    facts = _facts(rooms, neighbours, bombs=proof.bombs, fill=proof.bombs and proof.workspace is None)
    made = backend.probe(proof.machine, facts)
    context.check()
    results = [ProbeResult(group=p.group, name=p.what, outcome=p.detail, passed=p.held) for p in made]
    results.append(_unharmed(rooms, backend, neighbours))
    context.say("Attempts were made.", attempts=len(results), came_through=sum(not r.passed for r in results))
    capabilities = backend.capabilities
    evidence = Evidence(
        at=rooms.clock.now(),
        workspace=proof.machine,
        fresh=proof.workspace is None,
        atoll=__version__,
        host=socket.gethostname(),
        kernel=platform.release(),
        backend=proof.backend,
        isolation=capabilities.isolation,
        limits=capabilities.limits,
        product=proof.product,
        environment=rooms.catalog.version(proof.product).product.environment,
        bombs=proof.bombs,
        probes=tuple(results),
    )
    return {"evidence": evidence.model_dump(mode="json")}


def _destroy(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """Nothing is left of the machine, its home neither."""
    _remove(rooms, _proof(rooms, context))
    return {}


def _keep(rooms: Rooms, context: StepContext) -> Mapping[str, Any]:
    """The evidence with its hash, in one transaction with the audit entry that names the hash."""
    proof = _proof(rooms, context)
    if proof.evidence is not None:
        return {}
    evidence = Evidence.model_validate(context.output("probe")["evidence"])
    sha256 = evidence_sha256(evidence)
    failed = [probe.name for probe in evidence.probes if not probe.passed]
    rooms.audit.record(
        AuditEvent(
            action="workspace.proof",
            target=f"workspace/{proof.machine}",
            caller=PLATFORM,
            because=f"operation/{context.operation.id}",
            details={
                "proof": proof.id,
                "sha256": sha256,
                "attempts": len(evidence.probes),
                "came_through": failed[:20],
            },
        ),
        Put(proof.but(evidence=evidence, sha256=sha256)),
    )
    return {}


def evidence_sha256(evidence: Evidence) -> str:
    """SHA-256 over its canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(evidence.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _abandon(rooms: Rooms, context: StepContext, _failure: Failure) -> None:
    _remove(rooms, _proof(rooms, context))


def _remove(rooms: Rooms, proof: Proof) -> None:
    backend = _backend(rooms, proof)
    backend.destroy(proof.id)
    if backend.observe(proof.id).state is not MachineState.ABSENT:
        raise Unavailable("The machine of the proof is still there.", where=proof.id)
    backend.forget_home(proof.id)
    try:
        row = rooms.records.get(Resource, proof.id)
    except NotFound:
        return
    if row.gone_at is None:
        rooms.records.put(row.but(gone_at=rooms.clock.now()))


def _facts(rooms: Rooms, neighbours: Mapping[str, str], *, bombs: bool, fill: bool) -> ProbeFacts:
    """What lies outside that must be out of reach: the platform's address and files, others' machines."""
    settings = rooms.settings
    own = {"127.0.0.1", "::1", settings.host, *_addresses_of_host()} - {"0.0.0.0", "::"}  # noqa: S104
    ports = [port for port in (settings.port, 22) if port]
    paths = (settings.home_dir, settings.lake_path, settings.quarantine_path, settings.shares_path)
    return ProbeFacts(
        addresses=tuple((address, port) for address in sorted(own) for port in ports),
        paths=tuple(str(path) for path in paths),
        others=tuple(socket for socket in neighbours.values() if socket)[:_OTHERS],
        bombs=bombs,
        fill=fill,
    )


def _addresses_of_host() -> set[str]:
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    except OSError:
        return set()


def _running_beside(backend: Backend, machine: str) -> Mapping[str, str]:
    """Machines that run beside, each with the path of its socket, or nothing where it has none."""
    running = (seen for seen in backend.list_machines() if seen.state is MachineState.RUNNING)
    return {seen.workspace: str(seen.socket or "") for seen in running if seen.workspace != machine}


def _unharmed(rooms: Rooms, backend: Backend, neighbours: Mapping[str, str]) -> ProbeResult:
    """Whether those that ran before and are to run still do."""
    wanted = {
        workspace.id
        for workspace in every(rooms.records, Workspace, {"standing": "standing"})
        if workspace.desired is Desired.RUNNING
    }
    down = (MachineState.STOPPED, MachineState.ABSENT)
    harmed = [name for name in neighbours if name in wanted and backend.observe(name).state in down]
    outcome = f"{len(harmed)} of {len(neighbours)} machines that ran beside run no more."
    return ProbeResult(group="neighbours", name="harm a neighbour", outcome=outcome, passed=not harmed)


def _proof(rooms: Rooms, context: StepContext) -> Proof:
    return rooms.records.get(Proof, context.operation.params["proof"])


def _backend(rooms: Rooms, proof: Proof) -> Backend:
    backend = rooms.backends.get(proof.backend)
    if backend is None:
        raise Unavailable(f"No backend named {proof.backend} is plugged in.", where=f"proof/{proof.id}")
    return backend
