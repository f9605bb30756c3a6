"""Machines as virtual machines on this host, run by QEMU below bubblewrap."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from atoll.errors import Conflict, InvalidInput, LimitExceeded, NotFound, Unavailable
from atoll.model.workspace import HibernateKind, MachineState
from atoll.ports.backend import Capabilities, Figures, Finding, MachineSpec, Observation, Probe, ProbeFacts
from atoll.ports.clock import Clock
from atoll.ports.keys import MasterKey
from atoll.providers.sandbox import disk
from atoll.providers.sandbox.backend import SandboxBackend
from atoll.providers.sandbox.build import fingerprint_of
from atoll.providers.sandbox.environment import read_environment
from atoll.providers.sandbox.limits import Limiter
from atoll.providers.sandbox.machine import Machine
from atoll.providers.sandbox.seccomp import machine_filter
from atoll.providers.sandbox.starting import only_supervisor, start_supervisor, supervised, wait_for_supervisor
from atoll.providers.sandbox.stopping import end_machine
from atoll.providers.sandbox.uids import Uids
from atoll.providers.vm.accelerator import accelerator, in_words, kvm_group
from atoll.providers.vm.arguments import Shape, shape_of
from atoll.providers.vm.becoming import become_order, gateway_files
from atoll.providers.vm.command import hypervisor_command
from atoll.providers.vm.disks import data_disks, grow_home, make_home
from atoll.providers.vm.doctor import examine
from atoll.providers.vm.hypervisor import BROKEN, HIBERNATED, STOPPED, Memory, Plan
from atoll.providers.vm.launching import (
    OVERHEAD_BYTES,
    Refused,
    ask,
    check_memory,
    hand_over,
    keys_of,
    launch_file,
    limits_of,
    places,
)
from atoll.providers.vm.proving import probe_machine

_LOG_BYTES = 4 * 2**20
_GRACE_SECONDS = 15.0
_FREEZE_SECONDS = 300.0
_MOST_VCPU = 64


class VmBackend(SandboxBackend):
    """A `Backend` of virtual machines below one directory.

    Each machine is a sandbox whose first process is a hypervisor (see `hypervisor.py`),
    so that what is said of sandboxes holds: any number of platform processes may use the
    directory, and any may die. Homes and memories on disk are encrypted by keys of the
    machine's own, which are kept sealed by the master key and are handed over by socket.

    Args:
        images: directory of built images, see `image.py`.
        overcommit: how much memory machines may have together, in parts of the host's.
    """

    name = "vm"

    def __init__(
        self,
        directory: Path,
        images: Path,
        clock: Clock,
        master: MasterKey,
        *,
        overcommit: float = 0.9,
        limiter: Limiter | None = None,
        uids: Uids | None = None,
    ) -> None:
        super().__init__(directory, images, clock, limiter=limiter, uids=uids)
        self._master = master
        self._overcommit = overcommit

    @property
    def capabilities(self) -> Capabilities:
        """What it can do on this host."""
        return Capabilities(
            hibernate=HibernateKind.DISK,
            resize="stopped",
            desktop=False,
            mount=True,
            isolation=f"a kernel of its own, in a virtual machine inside a sandbox; {in_words(self._accelerator())}",
            limits=f"memory and home are as large as they are, on the host {self._limiter.guarantee}",
            probes=True,
            warm=True,
        )

    def _accelerator(self) -> str:
        kernels = sorted(self._environments.glob("*/kernel"))
        return accelerator(kernels[0]) if kernels else "tcg"

    # -- a machine's life ---------------------------------------------------------

    def stop(self, workspace: str) -> None:
        """Power it off; the home stays, a memory that was kept does not."""
        machine = Machine(self._directory, workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is not None:
                machine.write("machine.json", {**made, "stopped": True})
                self._clear(machine, made)
                _forget_memory(machine)

    def destroy(self, workspace: str) -> None:
        """Take everything away but home, its key and the log."""
        machine = Machine(self._directory, workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is None:
                return
            machine.write("machine.json", {**made, "stopped": True})
            keeper = machine.supervisor(made["spec"]["token"])
            if keeper is not None:
                self._limiter.kill(workspace)
            self._clear(machine, made)
            for name in ("run", "kept", "data"):
                disk.remove_tree(machine.path / name)
            for entry in machine.path.iterdir():
                if entry.name not in {"home", "key", "log", "log.1", "tokens", "machine.json"}:
                    entry.unlink()
            (machine.path / "machine.json").unlink()

    def claim(self, spec: MachineSpec) -> None:
        """Give a machine that waits to its person: its data comes as disks. Raises `InvalidInput`, `Unavailable`."""
        machine = Machine(self._directory, spec.workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is None or made["spec"]["token"] != spec.token or not machine.anonymous(made):
                return
            keeper = machine.supervisor(spec.token)
            if keeper is None or not keeper.alive or made["stopped"]:
                return
            has = set(made["spec"]["mounts"])
            new = tuple(mount for mount in spec.mounts if mount.target not in has)
            taken = tuple(entry["scsi_id"] for entry in made["disks"])
            disks = data_disks(new, self._data, machine.path / "data", taken)
            give = {"variables": dict(spec.variables), "system_files": gateway_files(spec.gateway)}
            try:
                ask(machine, "attach", 120.0, disks=disks, give=give)
            except Refused as why:
                raise Unavailable(
                    f"The machine could not be given to its person: {why}", where=spec.workspace
                ) from None
            described = {**made["spec"], "mounts": [*made["spec"]["mounts"], *(mount.target for mount in new)]}
            machine.write("machine.json", {**made, "spec": described, "disks": [*made["disks"], *disks]})
            machine.write("claimed.json", {"token": spec.token})

    def freeze(self, workspace: str) -> None:
        """Hibernate to disk. Returns when it is done, or goes on in the machine's own process when this one ends.

        Raises `LimitExceeded` when the disk is full and `Unavailable`; the machine runs on then.
        """
        machine = Machine(self._directory, workspace)
        with machine.locked():
            made = machine.read("machine.json")
            keeper = machine.supervisor(made["spec"]["token"]) if made is not None else None
            if made is None or keeper is None or not keeper.alive or made["stopped"]:
                return
            try:
                ask(machine, "freeze", _FREEZE_SECONDS)
            except Refused as why:
                if why.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise LimitExceeded(
                        "The host's disk is too full to hibernate the machine; it runs on.",
                        where=workspace,
                        todo="Free space, then try again.",
                    ) from None
                raise Unavailable(
                    f"The machine could not be hibernated and runs on: {why}", where=workspace, todo="Try again."
                ) from None
            keeper.wait(_GRACE_SECONDS)
            self._clear(machine, made)

    def thaw(self, workspace: str) -> None:
        """Wake from disk. A memory that cannot be loaded is let go of, and the machine starts anew on its home."""
        machine = Machine(self._directory, workspace)
        with machine.locked():
            made = machine.read("machine.json")
            if made is None or made["stopped"] or not (machine.path / "kept" / "state.json").exists():
                return
            keeper = machine.supervisor(made["spec"]["token"])
            if keeper is not None and keeper.alive:
                return
            sealed = self._master.open((machine.path / "launch.sealed").read_bytes(), context=f"launch {workspace}")
            told = json.loads(sealed)
            self._run(machine, made, told["become"], Path(told["gateway"]) if told["gateway"] else None, "state")

    def resize(self, workspace: str, *, vcpu: float, memory_bytes: int) -> None:
        """Raises `Conflict`: a virtual machine gets another size when it is stopped and started."""
        raise Conflict(
            "A virtual machine does not change its size while it runs.",
            where=workspace,
            todo="Stop it, and start it in the new size.",
        )

    # -- what is ---------------------------------------------------------------

    def _made_one(self, machine: Machine, made: dict[str, Any]) -> Observation:
        token = made["spec"]["token"]
        keeper = machine.supervisor(token)
        kept = (machine.path / "kept" / "state.json").exists()
        if not made["stopped"] and kept and (keeper is None or not keeper.alive):
            detail = "Its memory is on disk; it survives a restart of the host."
            return Observation(machine.workspace, token, MachineState.FROZEN, detail)
        seen = super()._made_one(machine, made)
        fallen = machine.path / "kept" / "fallen"
        if seen.state in (MachineState.STARTING, MachineState.RUNNING) and fallen.exists():
            why = fallen.read_text(errors="replace")[:300].strip()
            told = f"Its memory could not be loaded ({why}), so it started anew; its files are as they were."
            return replace(seen, detail=f"{told} {seen.detail}".strip())
        return seen

    def _alive(self, machine: Machine, made: dict[str, Any]) -> Observation:
        token = made["spec"]["token"]
        if not (machine.path / "kept" / "up").exists():
            return Observation(machine.workspace, token, MachineState.STARTING)
        if made["spec"]["service"] == "batch":
            return Observation(machine.workspace, token, MachineState.RUNNING)
        return super()._alive(machine, made)

    def _ended(self, machine: Machine, token: str, boot: str) -> Observation:
        seen = super()._ended(machine, token, boot)
        told = {
            HIBERNATED: "Its memory was kept, and is gone.",
            STOPPED: "It was powered off.",
            BROKEN: "Its virtual machine ended by itself; its log says more.",
        }
        if seen.exit_status in told:
            return replace(seen, detail=told[seen.exit_status], exit_status=None)
        ending = machine.ending(token)
        if ending is not None and (ending["reason"] or int(ending["status"]) < 0):
            # Nothing that its service said.
            return replace(seen, exit_status=None)
        return seen

    def figures(self, workspace: str) -> Figures | None:
        """What it uses, as the system inside says; of one that does not answer, what the host sees."""
        machine = Machine(self._directory, workspace)
        made = machine.read("machine.json")
        keeper = machine.supervisor(made["spec"]["token"]) if made is not None else None
        if keeper is None or not keeper.alive:
            return None
        try:
            told = ask(machine, "figures", 5.0)
            return Figures(
                float(told["cpu_seconds"]), int(told["memory_bytes"]), int(told["processes"]), int(told["home_bytes"])
            )
        except (Unavailable, Refused, KeyError, ValueError, OverflowError):
            return None

    def probe(self, workspace: str, facts: ProbeFacts) -> tuple[Probe, ...]:
        """Try to break out of it, as root inside. Raises `Conflict` when it does not run, `Unavailable`."""
        machine = Machine(self._directory, workspace)
        made = machine.read("machine.json")
        if made is None or self._made_one(machine, made).state is not MachineState.RUNNING:
            raise Conflict("The machine does not run.", where=f"workspace/{workspace}", todo="Wake it first.")
        return probe_machine(machine, made["spec"], facts)

    def doctor(self) -> tuple[Finding, ...]:
        """What this host can give and what it cannot."""
        return examine(self._environments, self._limiter, in_words(self._accelerator()))

    # -- inside ------------------------------------------------------------------

    @property
    def _data(self) -> Path:
        return self._directory / ".data"

    def _launch(self, machine: Machine, spec: MachineSpec) -> None:
        if not 0 < spec.vcpu <= _MOST_VCPU or spec.memory_bytes < 2**27 or not spec.base_url.startswith("/"):
            raise InvalidInput("Such a machine cannot be made.", where=spec.workspace)
        image = self._environments / spec.environment
        declared = read_environment(image)
        if not (image / "image.json").exists():
            raise NotFound("This environment is none of virtual machines.", where=spec.environment)
        shape = shape_of(spec.vcpu, spec.memory_bytes, self._accelerator(), fingerprint_of(image) or "")
        self._check_memory(machine, shape.memory_bytes)
        disk.check_room(self._directory, spec.workspace)
        become = become_order(spec, declared, _warmed(image, shape))
        with only_supervisor(machine) as alone:
            if alone is None:
                wait_for_supervisor(machine, spec.token)
                return
            described = {**asdict(spec), "mounts": [str(mount.target) for mount in spec.mounts], "gateway": None}
            described |= {"parameters": {}, "variables": {}}
            made = {
                "spec": described,
                "stopped": False,
                "built": shape.image,
                "shape": asdict(shape),
                "disks": [],
            }
            self._places(machine)
            made["disks"] = data_disks(spec.mounts, self._data, machine.path / "data")
            machine.write("machine.json", made)
            machine.note_use(spec.token)
            _forget_memory(machine)
            (machine.path / "claimed.json").unlink(missing_ok=True)
            told = {"become": become, "gateway": str(spec.gateway) if spec.gateway is not None else None}
            sealed = self._master.seal(json.dumps(told).encode(), context=f"launch {spec.workspace}")
            (machine.path / "launch.sealed").write_bytes(sealed)
            self._start(machine, made, become, spec.gateway, "template", alone)

    def _run(
        self, machine: Machine, made: dict[str, Any], become: dict[str, Any], gateway: Path | None, memory: Memory
    ) -> None:
        self._check_memory(machine, int(made["shape"]["memory_bytes"]))
        with only_supervisor(machine) as alone:
            if alone is None:
                wait_for_supervisor(machine, made["spec"]["token"])
                return
            self._places(machine)
            self._start(machine, made, become, gateway, memory, alone)

    def _start(
        self,
        machine: Machine,
        made: dict[str, Any],
        become: dict[str, Any],
        gateway: Path | None,
        memory: Memory,
        alone: int,
    ) -> None:
        """Start the hypervisor and hand it its plan."""
        spec, shape = made["spec"], Shape(**made["shape"])
        image = _image_of(self._environments / spec["environment"], shape.image)
        template = image / "templates" / shape.key
        home_key, memory_key = keys_of(machine, self._master)
        uid = self.user_of(machine.workspace)
        home = machine.home / "home.qcow2"
        make_home(home, int(spec["home_bytes"]), home_key)
        grow_home(home, int(spec["home_bytes"]), home_key)
        if uid is not None:
            os.chown(home, uid, uid)
        for name in ("supervisor.json", "exit.json", "answered"):
            (machine.path / name).unlink(missing_ok=True)
        for name in ("up", "fallen"):
            (machine.path / "kept" / name).unlink(missing_ok=True)
        (machine.path / "seccomp.bpf").write_bytes(machine_filter())
        kvm = shape.accelerator == "kvm"
        command = hypervisor_command(
            image=image, template=template if template.exists() else None, gateway=gateway, kvm=kvm, **places(machine)
        )
        group = kvm_group() if kvm else None
        launch = launch_file(
            machine, spec["token"], command.words, command.sources, self._limiter,
            limits_of(spec["vcpu"], shape.memory_bytes), uid=uid, groups=[group] if group is not None else [],
            home_bytes=int(spec["home_bytes"]), grace_seconds=_GRACE_SECONDS, log_bytes=_LOG_BYTES,
        )  # fmt: skip
        machine.write("launch.json", launch)
        start_supervisor(machine, alone)
        if memory == "template" and not (template / "memory").exists():
            memory = "cold"
        hand_over(
            machine,
            Plan(
                shape=asdict(shape), memory=memory, context=machine.workspace, home_key=_passphrase(home_key),
                state_key=memory_key.hex(), disks=made["disks"], become=become, gateway=gateway is not None,
            ),
        )  # fmt: skip

    def _places(self, machine: Machine) -> None:
        """Directories that the hypervisor sees, owned by the machine's account where it has one."""
        uid = self.user_of(machine.workspace)
        machine.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        disk.remove_tree(machine.run)
        for name, place in places(machine).items():
            place.mkdir(exist_ok=True)
            # Whatever the platform's umask: the machine's account reads its data, and nobody else the rest.
            place.chmod(0o755 if name == "data" else 0o700)
            if uid is not None and name != "data":
                os.chown(place, uid, uid, follow_symlinks=False)

    def _check_memory(self, machine: Machine, wanted: int) -> None:
        taken = 0
        for entry in self._directory.iterdir():
            if entry.name.startswith(".") or entry.name == machine.workspace:
                continue
            other = Machine(self._directory, entry.name)
            made = other.read("machine.json")
            keeper = other.supervisor(made["spec"]["token"]) if made is not None else None
            if made is not None and keeper is not None and keeper.alive:
                taken += int(made["shape"]["memory_bytes"]) + OVERHEAD_BYTES
        check_memory(machine.workspace, wanted + OVERHEAD_BYTES, taken, self._overcommit)

    def _clear(self, machine: Machine, made: dict[str, Any]) -> None:
        """End every process and take the control group away; files stay."""
        token = made["spec"]["token"]
        end_machine(machine, token, self._limiter, grace_seconds=_GRACE_SECONDS)
        until = time.monotonic() + _GRACE_SECONDS
        while supervised(machine):
            if time.monotonic() > until:
                raise Unavailable("A start of the machine is under way.", where=machine.workspace, todo="Try again.")
            time.sleep(0.01)
            end_machine(machine, token, self._limiter, grace_seconds=_GRACE_SECONDS)
        self._limiter.remove(machine.workspace)


def _passphrase(key: bytes) -> str:
    from atoll.providers.vm.disks import text_of

    return text_of(key)


def _forget_memory(machine: Machine) -> None:
    """A kept memory is of a home as it was: once the home can change it is void."""
    for name in ("state.json", "memory", "memory.part", "state.json.part"):
        (machine.path / "kept" / name).unlink(missing_ok=True)


def _warmed(image: Path, shape: Shape) -> list[str] | None:
    """The command of the service that the template has running; None without one."""
    try:
        told: list[str] | None = json.loads((image / "templates" / shape.key / "template.json").read_text())["command"]
    except (OSError, ValueError, KeyError):
        return None
    return told


def _image_of(image: Path, fingerprint: str) -> Path:
    """The build that a machine was made from, the present or an older. Raises `NotFound`."""
    if fingerprint_of(image) == fingerprint:
        return image
    for older in image.parent.glob(f".{image.name}-{fingerprint}-*"):
        return older
    raise NotFound(
        "The image that the machine was made from is gone.", where=image.name, todo="Stop it, and start it anew."
    )
