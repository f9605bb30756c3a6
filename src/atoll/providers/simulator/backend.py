"""A backend without machines: the contract of `ports.backend`, kept and strained as far as it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from atoll.errors import Conflict, LimitExceeded, Unavailable
from atoll.model.workspace import HibernateKind, MachineState
from atoll.ports.backend import Capabilities, Figures, Finding, MachineSpec, Observation, Probe, ProbeFacts
from atoll.ports.clock import Clock
from atoll.providers.simulator.faults import Fault, Faults, NoFaults, ProcessDied
from atoll.providers.simulator.machine import Agenda, Past, SimulatedMachine

_S = MachineState
_UP = frozenset({_S.STARTING, _S.RUNNING})

CAPABILITIES = Capabilities(
    hibernate=HibernateKind.MEMORY,
    resize="live",
    desktop=True,
    mount=True,
    isolation="None: nothing runs.",
    limits="None: nothing runs.",
    probes=True,
    warm=True,
)


class SimulatedBackend:
    """Machines in virtual time: what is due happens when the clock has passed it and somebody asks.

    A workspace has one machine at most: to make another while one is there changes
    nothing. A token makes a machine once: used again after that machine has gone it
    makes none. Safe from several threads.

    Args:
        clock: virtual time.
        faults: what goes wrong.
        boot_seconds: from an order to an answer.
        job_seconds: how long a batch job runs.
        capacity: machines whose processes run or stand still at once.
        capabilities: what it claims to be able to do.

    Attributes:
        machines: what truly is, by workspace.
        homes: workspaces that have a home.
        doubled: workspaces for which an order under a fresh token met a machine that was up.
            A backend without the protection of this one would have made a second then.
    """

    def __init__(
        self,
        clock: Clock,
        faults: Faults | None = None,
        *,
        name: str = "simulator",
        boot_seconds: float = 3.0,
        job_seconds: float = 30.0,
        capacity: int | None = None,
        capabilities: Capabilities = CAPABILITIES,
    ) -> None:
        self.name = name
        self.capabilities = capabilities
        self.machines: dict[str, SimulatedMachine] = {}
        self.homes: set[str] = set()
        self.doubled: list[str] = []
        self.faults: Faults = faults or NoFaults()
        self._clock = clock
        self._boot = timedelta(seconds=boot_seconds)
        self._job = timedelta(seconds=job_seconds)
        self._capacity = capacity
        self._used: set[str] = set()
        self._agenda = Agenda()
        self._past = Past()
        self._lock = threading.RLock()

    # -- orders -------------------------------------------------------------------------

    def create(self, spec: MachineSpec) -> None:
        """See the port."""

        def effect(fault: Fault) -> None:
            machine = self.machines.get(spec.workspace)
            if spec.token in self._used:
                return
            if machine is None:
                self._make(spec, fault)
            else:
                self.doubled.append(spec.workspace)

        self._order("create", effect, lambda: self._admit(spec))

    def start(self, spec: MachineSpec) -> None:
        """See the port."""

        def effect(fault: Fault) -> None:
            machine = self.machines.get(spec.workspace)
            if spec.token in self._used:
                return
            if machine is None or machine.state is _S.STOPPED:
                self._make(spec, fault)
            else:
                self.doubled.append(spec.workspace)

        self._order("start", effect, lambda: self._admit(spec))

    def claim(self, spec: MachineSpec) -> None:
        """See the port."""

        def check() -> None:
            if not self.capabilities.warm:
                raise Conflict("This backend makes nothing ready.", where=f"workspace/{spec.workspace}")

        def effect(_: Fault) -> None:
            machine = self.machines.get(spec.workspace)
            if machine is not None and machine.spec.token == spec.token and machine.state in _UP:
                machine.claim(spec)

        self._order("claim", effect, check)

    def stop(self, workspace: str) -> None:
        """See the port."""

        def effect(_: Fault) -> None:
            machine = self.machines.get(workspace)
            if machine is not None and machine.state is not _S.STOPPED:
                machine.end("")

        self._order("stop", effect)

    def freeze(self, workspace: str) -> None:
        """See the port."""

        def check() -> None:
            if self.capabilities.hibernate is HibernateKind.NONE:
                raise Conflict("This backend cannot hibernate.", where=f"workspace/{workspace}")

        self._order("freeze", lambda _: self._turn(workspace, _S.RUNNING, _S.FROZEN), check)

    def thaw(self, workspace: str) -> None:
        """See the port."""
        self._order("thaw", lambda _: self._turn(workspace, _S.FROZEN, _S.RUNNING))

    def resize(self, workspace: str, *, vcpu: float, memory_bytes: int) -> None:
        """See the port."""

        def check() -> None:
            if self.capabilities.resize != "live":
                raise Conflict("This backend does not resize what runs.", where=f"workspace/{workspace}")

        self._order("resize", lambda _: None, check)

    def destroy(self, workspace: str) -> None:
        """See the port."""
        self._order("destroy", lambda _: self._remove(workspace))

    def forget_home(self, workspace: str) -> None:
        """See the port."""
        self._order("forget_home", lambda _: self.homes.discard(workspace))

    # -- answers ------------------------------------------------------------------------

    def observe(self, workspace: str) -> Observation:
        """See the port."""
        with self._lock:
            fault = self._asked("observe")
            machine = self.machines.get(workspace)
            if fault.unknown:
                return Observation(workspace, None, _S.UNKNOWN, detail="The simulator cannot tell.")
            return machine.here if machine is not None else Observation(workspace, None, _S.ABSENT)

    def list_machines(self) -> tuple[Observation, ...]:
        """See the port."""
        with self._lock:
            fault = self._asked("list_machines")
            if fault.stale_seconds:
                return self._past.at(self._clock.now() - timedelta(seconds=fault.stale_seconds))
            return self._all()

    def figures(self, workspace: str) -> Figures | None:
        """See the port."""
        with self._lock:
            self._asked("figures")
            machine = self.machines.get(workspace)
            if machine is None or machine.state is not _S.RUNNING:
                return None
            return Figures(cpu_seconds=0.0, memory_bytes=2**26, processes=2, home_bytes=4096)

    def log(self, workspace: str, *, last_bytes: int = 65_536) -> str:
        """See the port."""
        return ""

    def probe(self, workspace: str, facts: ProbeFacts) -> tuple[Probe, ...]:
        """See the port. Nothing runs, so nothing comes through."""
        with self._lock:
            self._asked("probe")
            machine = self.machines.get(workspace)
            if machine is None or machine.state is not _S.RUNNING or not self.capabilities.probes:
                raise Conflict("The machine does not run.", where=f"workspace/{workspace}")
            groups = ("network", "files", "processes", "kernel", *(("bombs",) if facts.bombs else ()))
            return tuple(Probe(group, "pretend", held=True, detail="Nothing runs.") for group in groups)

    def doctor(self) -> tuple[Finding, ...]:
        """See the port."""
        return (Finding("simulator", good=True, detail="Machines are pretended; nothing runs."),)

    # -- the world ----------------------------------------------------------------------

    def restart_host(self) -> None:
        """The host of all machines starts anew; only memory that is on disk survives."""
        with self._lock:
            self._catch_up()
            for machine in self.machines.values():
                if machine.state in _UP:
                    machine.end("The host was restarted.")
                elif machine.state is _S.FROZEN and self.capabilities.hibernate is not HibernateKind.DISK:
                    machine.end("The host was restarted; memory was lost.")
            self._noted()

    def truth(self, workspace: str) -> MachineState:
        """What is true, past every fault."""
        with self._lock:
            self._catch_up()
            machine = self.machines.get(workspace)
            return machine.state if machine is not None else _S.ABSENT

    @property
    def last_event_at(self) -> datetime | None:
        """When the last of what is still under way takes effect."""
        with self._lock:
            return self._agenda.last

    # -- inside -------------------------------------------------------------------------

    def _order(self, call: str, effect: Callable[[Fault], None], check: Callable[[], None] | None = None) -> None:
        with self._lock:
            fault = self._asked(call)
            if check is not None:
                check()
            at = self._clock.now() + timedelta(seconds=fault.delay_seconds)
            self._agenda.plan(at, lambda: effect(fault))
            if fault.again_after_seconds is not None:
                self._agenda.plan(at + timedelta(seconds=fault.again_after_seconds), lambda: effect(fault))
            self._catch_up()
            if fault.process_dies == "after":
                raise ProcessDied
            if fault.lost_answer:
                raise self._unavailable(call)

    def _asked(self, call: str) -> Fault:
        self._catch_up()
        fault = self.faults.draw(call)
        if fault.process_dies == "before":
            raise ProcessDied
        if fault.refused:
            raise self._unavailable(call)
        return fault

    def _unavailable(self, call: str) -> Unavailable:
        return Unavailable("The simulator did not answer.", where=call, todo="Try again.")

    def _admit(self, spec: MachineSpec) -> None:
        machine = self.machines.get(spec.workspace)
        if machine is None or machine.state is _S.STOPPED:
            taken = sum(1 for m in self.machines.values() if m.state is not _S.STOPPED)
            if self._capacity is not None and taken >= self._capacity:
                raise LimitExceeded("The host has no room for another machine.", todo="Try later.")

    def _make(self, spec: MachineSpec, fault: Fault) -> None:
        self._used.add(spec.token)
        self.homes.add(spec.workspace)
        self.machines[spec.workspace] = machine = SimulatedMachine(spec)
        now = self._clock.now()
        self._agenda.plan(now + self._boot, lambda: self._booted(machine))
        if spec.service == "batch":
            self._agenda.plan(now + self._boot + self._job, lambda: self._over(machine, "The job has ended.", 0))
        if fault.dies_after_seconds is not None:
            at = now + timedelta(seconds=fault.dies_after_seconds)
            self._agenda.plan(at, lambda: self._dies(machine, vanishes=fault.vanishes))

    def _booted(self, machine: SimulatedMachine) -> None:
        if machine.state is _S.STARTING:
            machine.state = _S.RUNNING

    def _over(self, machine: SimulatedMachine, detail: str, exit_status: int | None = None) -> None:
        if machine.state in _UP:
            machine.end(detail, exit_status)

    def _dies(self, machine: SimulatedMachine, *, vanishes: bool) -> None:
        self._over(machine, "It ended by itself.")
        if vanishes and self.machines.get(machine.spec.workspace) is machine:
            self._remove(machine.spec.workspace)

    def _turn(self, workspace: str, before: MachineState, after: MachineState) -> None:
        machine = self.machines.get(workspace)
        if machine is not None and machine.state is before:
            machine.state = after

    def _remove(self, workspace: str) -> None:
        machine = self.machines.pop(workspace, None)
        if machine is not None:
            # What is still planned for it finds it ended.
            machine.end("")

    def _catch_up(self) -> None:
        happened = False
        while (event := self._agenda.take_due(self._clock.now())) is not None:
            event()
            happened = True
        if happened:
            self._noted()

    def _noted(self) -> None:
        if isinstance(self.faults, NoFaults):
            # Nobody will ask for the past.
            return
        self._past.note(self._clock.now(), self._all())

    def _all(self) -> tuple[Observation, ...]:
        return tuple(machine.here for machine in self.machines.values())
