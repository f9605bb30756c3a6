"""What stands around a machine before it is made: its size, its mounts, its gateway."""

from __future__ import annotations

from typing import Protocol

from atoll.flows.rooms import Rooms
from atoll.model.workspace import ProductVersion, Workspace
from atoll.ports.backend import MachineSpec


class Surroundings(Protocol):
    """Makes ready what a machine needs on the host, and takes it away again. Both are idempotent."""

    def prepare(self, workspace: Workspace, token: str, because: str) -> MachineSpec:
        """What the machine is to be, everything it names being there."""
        ...

    def release(self, workspace: Workspace) -> None:
        """The machine is stopped or gone."""
        ...


class BareSurroundings:
    """Product and size, no mounts and no gateway."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def prepare(self, workspace: Workspace, token: str, because: str) -> MachineSpec:
        """What product and size say. Raises `NotFound` for a product or size that is none."""
        product = self._rooms.records.get(ProductVersion, workspace.product).product
        size = self._rooms.catalog.size(workspace.size)
        return MachineSpec(
            workspace=workspace.id,
            token=token,
            environment=product.environment,
            service=product.service,
            base_url=f"/w/{workspace.id}/",
            vcpu=size.vcpu,
            memory_bytes=size.memory_bytes,
            home_bytes=product.home_bytes,
            parameters=workspace.parameters,
        )

    def release(self, workspace: Workspace) -> None:
        """Nothing was made ready."""
