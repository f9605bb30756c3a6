"""Machines as sandboxes on this host, made by bubblewrap."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from atoll.errors import Conflict, InvalidInput, LimitExceeded, Unavailable
from atoll.model.workspace import HibernateKind, MachineState
from atoll.ports.backend import Capabilities, Figures, Finding, MachineSpec, Observation, Probe, ProbeFacts
from atoll.ports.clock import Clock
from atoll.providers.sandbox import disk
from atoll.providers.sandbox.answering import answers
from atoll.providers.sandbox.build import fingerprint_of
from atoll.providers.sandbox.claiming import can_claim, claim_order, warm_finding
from atoll.providers.sandbox.command import BUBBLEWRAP, SLOTS, Command, build_command, write_etc
from atoll.providers.sandbox.doctor import examine
from atoll.providers.sandbox.environment import read_environment
from atoll.providers.sandbox.limits import Limiter, Limits, choose_limiter
from atoll.providers.sandbox.machine import Machine
from atoll.providers.sandbox.process import boot_id
from atoll.providers.sandbox.proving import probe_machine
from atoll.providers.sandbox.screens import missing_packages
from atoll.providers.sandbox.seccomp import machine_filter
from atoll.providers.sandbox.sharing import FIRST_GID, open_to_group
from atoll.providers.sandbox.starting import only_supervisor, start_supervisor, supervised, wait_for_supervisor
from atoll.providers.sandbox.stopping import end_machine
from atoll.providers.sandbox.uids import Uids

_LOG_BYTES = 4 * 2**20
_GRACE_SECONDS = 5.0
_LOOKS_AT_ONCE = 8


class SandboxBackend:
    """A `Backend` of bubblewrap sandboxes below one directory.

    What is true lies in the directory and in the kernel, nothing in this object: any
    number of platform processes may use the same directory, and any may die.
    """

    name = "sandbox"

    def __init__(
        self,
        directory: Path,
        environments: Path,
        clock: Clock,
        *,
        limiter: Limiter | None = None,
        uids: Uids | None = None,
    ) -> None:
        self._directory = directory.absolute()
        self._environments = environments.absolute()
        self._clock = clock
        # Several platforms on one host must not take each other's control groups.
        instance = hashlib.sha256(str(self._directory).encode()).hexdigest()[:12]
        self._limiter = limiter or choose_limiter(f"atoll/{instance}")
        self._uids = uids or Uids(self._directory / ".uids")
        self._gids = Uids(self._directory / ".gids", first=FIRST_GID)
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do on this host."""
        apart = "each machine has a user id of its own" if os.getuid() == 0 else "machines share the platform's user id"
        return Capabilities(
            hibernate=HibernateKind.MEMORY if self._limiter.can_freeze else HibernateKind.NONE,
            resize="live" if self._limiter.can_resize else "stopped",
            desktop=not missing_packages(),
            mount=True,
            isolation=f"namespaces, no network, no capabilities, filtered system calls; {apart}",
            limits=f"{self._limiter.guarantee}; home: {disk.guarantee(self._directory)}",
            probes=True,
            warm=self._warm,
        )

    @cached_property
    def _warm(self) -> bool:
        return can_claim(self._directory)

    # -- a machine's life ---------------------------------------------------------

    def user_of(self, workspace: str) -> int | None:
        """The host's account of a machine, before it is made too; None when it is the platform's own."""
        return self._uids.take(workspace) if os.getuid() == 0 else None

    def create(self, spec: MachineSpec) -> None:
        """Make and start the machine, unless there is one or the token has had its machine.

        Raises `LimitExceeded`, `InvalidInput`, `NotFound` (no such environment), `Unavailable`.
        """
        machine = Machine(self._directory, spec.workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is None and machine.was_used(spec.token):
                return  # a late repetition: that machine has come and gone
            if made is not None and made["spec"]["token"] != spec.token:
                return  # there is a machine, of another creation
            if made is None or (machine.supervisor(spec.token) is None and not made["stopped"]):
                self._launch(machine, spec)

    def start(self, spec: MachineSpec) -> None:
        """Start a stopped machine on its kept home, with a token that is new. Raises as `create`."""
        machine = Machine(self._directory, spec.workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if machine.supervisor(spec.token) is not None or (made is None and machine.was_used(spec.token)):
                return
            if made is not None:
                keeper = machine.supervisor(made["spec"]["token"])
                if keeper is not None and keeper.alive and not made["stopped"]:
                    return  # it runs already
                self._clear(machine, made)
            self._launch(machine, spec)

    def claim(self, spec: MachineSpec) -> None:
        """Give a machine that waits to its person. Raises `Conflict` where that cannot be done, `InvalidInput`."""
        if not self._warm:
            raise Conflict("Machines of this host cannot be made ready before they are asked for.", where="sandbox")
        machine = Machine(self._directory, spec.workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is None or made["spec"]["token"] != spec.token or not machine.anonymous(made):
                return
            keeper = machine.supervisor(spec.token)
            if keeper is not None and keeper.alive and not made["stopped"]:
                self._groups(spec)
                machine.write("claim.json", claim_order(spec, made, self._group_of, self.user_of(spec.workspace)))
                keeper.signal(signal.SIGUSR1)

    def stop(self, workspace: str) -> None:
        """End its processes; the home stays. Nothing happens when there is no machine."""
        machine = Machine(self._directory, workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is not None:
                machine.write("machine.json", {**made, "stopped": True})
                self._clear(machine, made)

    def destroy(self, workspace: str) -> None:
        """Take everything away but home and log."""
        machine = Machine(self._directory, workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is None:
                return
            machine.write("machine.json", {**made, "stopped": True})
            self._clear(machine, made)
            shutil.rmtree(machine.etc, ignore_errors=True)
            shutil.rmtree(machine.slots, ignore_errors=True)
            disk.remove_tree(machine.run)
            kept = {"home", "log", "log.1", "tokens", "machine.json"}
            for entry in machine.path.iterdir():
                if entry.name not in kept:
                    entry.unlink()
            (machine.path / "machine.json").unlink()

    def forget_home(self, workspace: str) -> None:
        """Remove home and log for good. Raises `Conflict` while there is a machine."""
        machine = Machine(self._directory, workspace)
        with machine.locked():
            if machine.read("machine.json") is not None:
                raise Conflict("The home is in use by a machine.", where=workspace, todo="Destroy the machine first.")
            disk.remove_tree(machine.path)
            self._uids.give_back(workspace)

    def freeze(self, workspace: str) -> None:
        """Let its processes stand still. Raises `Conflict` where that cannot be done, `Unavailable`."""
        self._running(workspace, self._limiter.freeze)

    def thaw(self, workspace: str) -> None:
        """Let them go on. Raises `Unavailable`."""
        self._running(workspace, self._limiter.thaw)

    def resize(self, workspace: str, *, vcpu: float, memory_bytes: int) -> None:
        """Change limits of a running machine. Raises `Conflict` where that cannot be done, `Unavailable`."""
        machine = Machine(self._directory, workspace)

        def apply(key: str) -> None:
            made = machine.read("machine.json")
            if made is None:
                return
            self._limiter.apply(key, Limits(vcpu, memory_bytes, made["spec"]["pids"]))
            spec = {**made["spec"], "vcpu": vcpu, "memory_bytes": memory_bytes}
            machine.write("machine.json", {**made, "spec": spec})

        self._running(workspace, apply)

    # -- what is ---------------------------------------------------------------

    def observe(self, workspace: str) -> Observation:
        """The machine as it is. Never raises for a machine in disorder: that is `unknown`."""
        machine = Machine(self._directory, workspace)
        made = machine.read("machine.json")
        if made is None:
            unreadable = (machine.path / "machine.json").exists()
            detail = "Its description cannot be read." if unreadable else ""
            return Observation(workspace, None, MachineState.UNKNOWN if unreadable else MachineState.ABSENT, detail)
        return self._made_one(machine, made)

    def _made_one(self, machine: Machine, made: dict[str, Any]) -> Observation:
        workspace = machine.workspace
        token = made["spec"]["token"]
        keeper = machine.supervisor(token)
        if keeper is None:
            detail = "It was stopped." if made["stopped"] else "Its start was interrupted."
            return Observation(workspace, token, MachineState.STOPPED, detail)
        if not keeper.alive:
            return self._ended(machine, token, keeper.boot)
        # A stop that died half way stops nothing any more: then the machine is what it is.
        if made["stopped"] and (machine.busy() or not keeper.alive):
            return Observation(workspace, token, MachineState.UNKNOWN, "It is being stopped.")
        if self._limiter.frozen(workspace):
            return Observation(workspace, token, MachineState.FROZEN, "Its processes stand still; memory is kept.")
        seen = self._alive(machine, made)
        if not machine.anonymous(made):
            return seen
        built = fingerprint_of(self._environments / made["spec"]["environment"])
        return replace(seen, anonymous=True, outdated=built != made.get("built"))

    def list_machines(self) -> tuple[Observation, ...]:
        """Every machine there is. Raises `Unavailable` when the directory cannot be read."""
        try:
            names = [
                entry.name
                for entry in self._directory.iterdir()
                if not entry.name.startswith(".") and (entry / "machine.json").exists()
            ]
        except OSError as error:
            raise Unavailable(
                "The directory of machines cannot be read.", where=os.strerror(error.errno or 0)
            ) from None
        with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
            return tuple(seen for seen in pool.map(self.observe, sorted(names)) if seen.state != MachineState.ABSENT)

    def figures(self, workspace: str) -> Figures | None:
        """What it uses now; `home_bytes` is at most some seconds old (see `disk.guarantee`)."""
        machine = Machine(self._directory, workspace)
        made = machine.read("machine.json")
        if made is None:
            return None
        token = made["spec"]["token"]
        keeper = machine.supervisor(token)
        if keeper is None or not keeper.alive:
            return None
        first = machine.first_process(token)
        used = self._limiter.usage(workspace, first.pid if first is not None and first.alive else None)
        if used is None:
            return None
        measured = machine.read("disk.json")
        if measured is not None and measured["token"] == token:
            home_bytes = int(measured["bytes"])
        else:
            home_bytes = disk.used_bytes((machine.home, machine.run))
        return Figures(used.cpu_seconds, used.memory_bytes, used.processes, home_bytes)

    def log(self, workspace: str, *, last_bytes: int = 65_536) -> str:
        """The end of what it printed."""
        return Machine(self._directory, workspace).log_end(last_bytes)

    def probe(self, workspace: str, facts: ProbeFacts) -> tuple[Probe, ...]:
        """Try to break out of it, from inside. Raises `Conflict` when it does not run, `Unavailable`."""
        machine = Machine(self._directory, workspace)
        made = machine.read("machine.json")
        if made is None or self._made_one(machine, made).state is not MachineState.RUNNING:
            raise Conflict("The machine does not run.", where=f"workspace/{workspace}", todo="Wake it first.")
        return probe_machine(machine, made["spec"], facts, self.observe)

    def doctor(self) -> tuple[Finding, ...]:
        """What this host can give and what it cannot."""
        return (*examine(self._directory, self._environments, self._limiter), warm_finding(works=self._warm))

    # -- inside ------------------------------------------------------------------

    def _alive(self, machine: Machine, made: dict[str, Any]) -> Observation:
        spec, token = made["spec"], made["spec"]["token"]
        used = self._limiter.usage(machine.workspace, None)
        short = used.killed_for_memory if used is not None else 0
        detail = f"The memory was full {short} times; a process was ended each time." if short else ""
        if spec["service"] == "batch":
            known = machine.first_process(token) is not None
            state = MachineState.RUNNING if known else MachineState.STARTING
            return Observation(machine.workspace, token, state, detail)
        marker = machine.path / "answered"
        answered = marker.exists() and marker.read_text() == token
        if answers(machine.socket, spec["base_url"]):
            if not answered:
                marker.write_text(token)
        elif answered:
            detail = f"Its service does not answer now. {detail}".strip()
        else:
            return Observation(machine.workspace, token, MachineState.STARTING, detail)
        return Observation(machine.workspace, token, MachineState.RUNNING, detail, socket=machine.socket)

    def _ended(self, machine: Machine, token: str, boot: str) -> Observation:
        ending = machine.ending(token)
        if ending is not None:
            status = int(ending["status"])
            detail = f"It ended with status {status}." if not ending["reason"] else f"It ended: {ending['reason']}."
            return Observation(machine.workspace, token, MachineState.STOPPED, detail, exit_status=status)
        if boot != boot_id():
            detail = "The host was restarted; memory was lost."
        else:
            detail = "Its supervisor was ended from outside, and the machine with it."
        return Observation(machine.workspace, token, MachineState.STOPPED, detail)

    def _running(self, workspace: str, act: Callable[[str], None]) -> None:
        """Do something to a machine that runs or is frozen; nothing when there is none."""
        machine = Machine(self._directory, workspace)
        with machine.locked():
            made = machine.read("machine.json")
            keeper = machine.supervisor(made["spec"]["token"]) if made is not None else None
            if keeper is not None and keeper.alive:
                act(workspace)

    def _launch(self, machine: Machine, spec: MachineSpec) -> None:
        """Write what is to be, then start the supervisor, which returns when it can be found again."""
        if spec.vcpu <= 0 or spec.memory_bytes < 2**24 or spec.pids < 8 or not spec.base_url.startswith("/"):
            raise InvalidInput("Such a machine cannot be made.", where=spec.workspace)
        built = self._environments / spec.environment
        declared = read_environment(built)
        self._check_room(spec)
        program = machine_filter()
        command = build_command(machine, spec, built, declared, None if self._limiter.strong else spec.pids)
        with only_supervisor(machine) as alone:
            if alone is None:
                # The platform died between starting one and hearing from it.
                wait_for_supervisor(machine, spec.token)
                return
            self._write_and_start(machine, spec, command, program, alone)

    def _write_and_start(
        self, machine: Machine, spec: MachineSpec, command: Command, program: bytes, alone: int
    ) -> None:
        described = {**asdict(spec), "mounts": [str(mount.target) for mount in spec.mounts], "gateway": None}
        described |= {"parameters": {}, "variables": {}}
        built = fingerprint_of(self._environments / spec.environment) if spec.anonymous else None
        machine.write("machine.json", {"spec": described, "stopped": False, "built": built})
        machine.note_use(spec.token)
        for name in ("supervisor.json", "exit.json", "disk.json", "answered", "claim.json", "claimed.json"):
            (machine.path / name).unlink(missing_ok=True)
        uid = self._prepare_places(machine)
        limits = Limits(spec.vcpu, spec.memory_bytes, spec.pids)
        join = self._limiter.prepare(spec.workspace, limits)
        (machine.path / "seccomp.bpf").write_bytes(program)
        launch = {
            "token": spec.token,
            "command": [*self._limiter.wrap(spec.workspace, limits), *command.words],
            "sources": command.sources,
            "uid": uid,
            "groups": self._groups(spec),
            "slots": list(SLOTS) if spec.anonymous else [],
            "join": [str(path) for path in join],
            "rlimits": self._rlimits(spec),
            "cpus": None if self._limiter.strong else sorted(os.sched_getaffinity(0))[: max(1, round(spec.vcpu))],
            "grace_seconds": _GRACE_SECONDS,
            "log_bytes": _LOG_BYTES,
            "disk_paths": [str(machine.home), str(machine.run)],
            "disk_bytes": spec.home_bytes,
            "shares": [[str(m.source), m.quota_bytes] for m in spec.mounts if m.writable and m.quota_bytes is not None],
        }
        machine.write("launch.json", launch)
        start_supervisor(machine, alone)

    def _groups(self, spec: MachineSpec) -> list[int]:
        """Group ids of what it writes together with others; none where machines share the platform's account."""
        gids = []
        for mount in spec.mounts:
            if mount.group and mount.writable and os.getuid() == 0:
                gids.append(self._group_of(mount.group))
                open_to_group(mount.source, gids[-1])
        return gids

    def _group_of(self, group: str) -> int:
        return self._gids.take(group)

    def _rlimits(self, spec: MachineSpec) -> dict[str, int]:
        limits = {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": 65_536, "RLIMIT_FSIZE": spec.home_bytes, "RLIMIT_MEMLOCK": 2**23}
        if not self._limiter.strong:
            limits["RLIMIT_DATA"] = spec.memory_bytes
        return limits

    def _prepare_places(self, machine: Machine) -> int | None:
        """Make home, run and etc. Returns the machine's user id, None when it is the platform's own."""
        uid = self.user_of(machine.workspace)
        disk.remove_tree(machine.run)
        for place in (machine.home, machine.run):
            place.mkdir(mode=0o700, exist_ok=True)
            if uid is not None:
                os.chown(place, uid, uid, follow_symlinks=False)
        write_etc(machine)
        return uid

    def _check_room(self, spec: MachineSpec) -> None:
        if not Path(BUBBLEWRAP).exists():
            raise Unavailable("bubblewrap is missing.", todo="Install the package bubblewrap.")
        host = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if spec.memory_bytes > host:
            raise LimitExceeded(
                f"The machine wants {spec.memory_bytes / 2**30:.1f} GiB of memory, its host has {host / 2**30:.1f}.",
                where=spec.workspace,
                todo="Choose a smaller size.",
            )
        disk.check_room(self._directory, spec.workspace)

    def _clear(self, machine: Machine, made: dict[str, Any]) -> None:
        """End every process and take the control group away; files stay."""
        token = made["spec"]["token"]
        end_machine(machine, token, self._limiter, grace_seconds=_GRACE_SECONDS)
        until = time.monotonic() + _GRACE_SECONDS * 2
        while supervised(machine):
            # One that the platform started just before it died, and that has not said so yet.
            if time.monotonic() > until:
                raise Unavailable("A start of the machine is under way.", where=machine.workspace, todo="Try again.")
            time.sleep(0.01)
            end_machine(machine, token, self._limiter, grace_seconds=_GRACE_SECONDS)
        self._limiter.remove(machine.workspace)
