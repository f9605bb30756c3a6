"""Machines of this host: the backends it has, and what stands around each machine."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from atoll.client.inside import python_package, r_file
from atoll.errors import Unavailable
from atoll.flows.mount_datasets import mount_datasets, unmount_datasets
from atoll.flows.mount_share import mount_share
from atoll.flows.rooms import Rooms
from atoll.flows.serve_machine import MachineDesk
from atoll.flows.surroundings import BareSurroundings
from atoll.gateway import GatewayHost, Machine
from atoll.gateway.inside import R_CLIENT, inside_variables, write_configuration
from atoll.model.workspace import Desired, MachineState, WarmMachine, Workspace
from atoll.ports.backend import Backend, MachineSpec, Mount
from atoll.ports.records import every
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from atoll.providers.vm.arguments import has_emulator
from atoll.providers.vm.backend import VmBackend
from atoll.settings import Settings
from atoll.wiring.platform import master_key

#: Where the Python client lies inside a machine.
_CLIENT_INSIDE = "/opt/data/atoll"
_R_INSIDE = str(Path(R_CLIENT).parent)
_CLIENTS = (Mount(python_package(), _CLIENT_INSIDE), Mount(r_file().parent, _R_INSIDE))
_ALIVE = (MachineState.STARTING, MachineState.RUNNING, MachineState.FROZEN, MachineState.UNKNOWN)


class ForgetVisits(Protocol):
    """Whoever keeps visits is told that a machine is stopped, or gone for good."""

    def __call__(self, workspace_id: str, /, *, gone: bool) -> None:
        """Forget them."""
        ...


def environments(settings: Settings) -> Path:
    """Where environments are built, see `atoll environment build`."""
    return settings.environments_dir or settings.home_dir / "environments"


def backends(settings: Settings) -> Mapping[str, Backend]:
    """The backends of this host: sandboxes where bubblewrap is installed, and virtual machines where QEMU is too."""
    if shutil.which("bwrap") is None:
        return {}
    sandbox = SandboxBackend(settings.home_dir / "machines", environments(settings), SystemClock())
    found: dict[str, Backend] = {sandbox.name: sandbox}
    if has_emulator():
        directory, images = settings.home_dir / "vms", environments(settings)
        overcommit = settings.vm_memory_overcommit
        vm = VmBackend(directory, images, SystemClock(), master_key(settings), overcommit=overcommit)
        found[vm.name] = vm
    return found


def _nobody_visits(workspace_id: str, /, *, gone: bool) -> None:
    """Where no proxy runs there is nothing to forget."""


class HostSurroundings:
    """Mounts of the granted data, the gateway, and the client, for machines of this host.

    `forget_visits` is told of each machine that is stopped, or `gone` for good.
    """

    def __init__(
        self,
        rooms: Rooms,
        desk: MachineDesk,
        gateways: GatewayHost,
        forget_visits: ForgetVisits = _nobody_visits,
    ) -> None:
        self._forget_visits = forget_visits
        self._rooms = rooms
        self._desk = desk
        self._gateways = gateways
        self._bare = BareSurroundings(rooms)
        self._directory = rooms.settings.home_dir / "gateways"

    def prepare(self, workspace: Workspace, token: str, because: str) -> MachineSpec:
        """See `Surroundings.prepare`."""
        spec = self._bare.prepare(workspace, token, because)
        variables = inside_variables(login=workspace.owner_login, project=workspace.project)
        return replace(
            spec,
            mounts=(
                *mount_datasets(self._rooms, workspace, because),
                mount_share(self._rooms, workspace),
                *_CLIENTS,
            ),
            gateway=self._open_gateway(workspace),
            variables={**variables, "PYTHONPATH": _CLIENT_INSIDE},
        )

    def release(self, workspace: Workspace) -> None:
        """See `Surroundings.release`."""
        self._gateways.close(workspace.id)
        self._desk.forget(workspace.id)
        # The proxy finds out by itself where it cannot be told now.
        with suppress(Unavailable, TimeoutError):
            self._forget_visits(workspace.id, gone=workspace.desired is Desired.TERMINATED)
        unmount_datasets(self._rooms, workspace.id)
        shutil.rmtree(self._directory / workspace.id, ignore_errors=True)

    def prepare_warm(self, machine: WarmMachine) -> MachineSpec:
        """See `Surroundings.prepare_warm`. The gateway's directory is there, its socket comes with the person."""
        return replace(
            self._bare.prepare_warm(machine),
            mounts=_CLIENTS,
            gateway=self._gateway_directory(machine.id, machine.backend)[0],
            variables={"PYTHONPATH": _CLIENT_INSIDE},
        )

    def release_warm(self, machine: WarmMachine) -> None:
        """See `Surroundings.release_warm`."""
        shutil.rmtree(self._directory / machine.id, ignore_errors=True)

    def reopen(self) -> int:
        """After a start of the platform: the gateways of machines that went on without it; how many."""
        count = 0
        for workspace in every(self._rooms.records, Workspace, {"standing": "standing"}):
            if workspace.observed.state in _ALIVE and workspace.backend in self._rooms.backends:
                self._open_gateway(workspace)
                count += 1
        return count

    def _open_gateway(self, workspace: Workspace) -> Path:
        directory, uid = self._gateway_directory(workspace.id, workspace.backend)
        self._gateways.open(Machine(workspace.id, workspace.project, directory / "gw.sock", uid))
        return directory

    def _gateway_directory(self, workspace_id: str, backend_name: str) -> tuple[Path, int | None]:
        """The directory that the machine sees, with its configuration, and the account of the machine."""
        backend = self._rooms.backends[backend_name]
        uid = backend.user_of(workspace_id) if isinstance(backend, SandboxBackend) else None
        directory = self._directory / workspace_id
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_configuration(directory)
        if uid is not None:
            # The directory itself is bound into the machine, whose account must look into it.
            directory.chmod(0o711)
            for path in directory.iterdir():
                if path.is_file():
                    path.chmod(0o644)
        return directory, uid
