"""Machines of this host: the backends it has, and what stands around each machine."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from atoll.client.inside import python_package, r_file
from atoll.flows.mount_datasets import mount_datasets, unmount_datasets
from atoll.flows.rooms import Rooms
from atoll.flows.serve_machine import MachineDesk
from atoll.flows.surroundings import BareSurroundings
from atoll.gateway import GatewayHost, Machine
from atoll.gateway.inside import inside_variables, write_configuration
from atoll.model.workspace import MachineState, Workspace
from atoll.ports.backend import Backend, MachineSpec, Mount
from atoll.ports.records import every
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from atoll.settings import Settings

#: Where the Python client lies inside a machine.
_CLIENT_INSIDE = "/opt/data/atoll"
_R_INSIDE = "/opt/data/atoll-r"
_ALIVE = (MachineState.STARTING, MachineState.RUNNING, MachineState.FROZEN, MachineState.UNKNOWN)


def environments(settings: Settings) -> Path:
    """Where environments are built, see `atoll environment build`."""
    return settings.environments_dir or settings.home_dir / "environments"


def backends(settings: Settings) -> Mapping[str, Backend]:
    """The backends that this host can offer: the sandbox where bubblewrap is installed."""
    if shutil.which("bwrap") is None:
        return {}
    sandbox = SandboxBackend(settings.home_dir / "machines", environments(settings), SystemClock())
    return {sandbox.name: sandbox}


class HostSurroundings:
    """Mounts of the granted data, the gateway, and the client, for machines of this host."""

    def __init__(self, rooms: Rooms, desk: MachineDesk, gateways: GatewayHost) -> None:
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
                Mount(python_package(), _CLIENT_INSIDE),
                Mount(r_file().parent, _R_INSIDE),
            ),
            gateway=self._open_gateway(workspace),
            variables={**variables, "PYTHONPATH": _CLIENT_INSIDE},
        )

    def release(self, workspace: Workspace) -> None:
        """See `Surroundings.release`."""
        self._gateways.close(workspace.id)
        self._desk.forget(workspace.id)
        unmount_datasets(self._rooms, workspace.id)
        shutil.rmtree(self._directory / workspace.id, ignore_errors=True)

    def reopen(self) -> int:
        """After a start of the platform: the gateways of machines that went on without it; how many."""
        count = 0
        for workspace in every(self._rooms.records, Workspace, {"standing": "standing"}):
            if workspace.observed.state in _ALIVE and workspace.backend in self._rooms.backends:
                self._open_gateway(workspace)
                count += 1
        return count

    def _open_gateway(self, workspace: Workspace) -> Path:
        backend = self._rooms.backends[workspace.backend]
        uid = backend.user_of(workspace.id) if isinstance(backend, SandboxBackend) else None
        directory = self._directory / workspace.id
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_configuration(directory)
        if uid is not None:
            # The directory itself is bound into the machine, whose account must look into it.
            directory.chmod(0o711)
            for path in directory.iterdir():
                if path.is_file():
                    path.chmod(0o644)
        self._gateways.open(Machine(workspace.id, workspace.project, directory / "gw.sock", uid))
        return directory
