"""What stands around a machine before it is made: its size, its mounts, its gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from atoll.flows.rooms import Rooms
from atoll.model.workspace import Product, ProductVersion, WarmMachine, Workspace
from atoll.ports.backend import MachineSpec
from atoll.workspaces import parameters


class Surroundings(Protocol):
    """Makes ready what a machine needs on the host, and takes it away again. Both are idempotent."""

    def prepare(self, workspace: Workspace, token: str, because: str) -> MachineSpec:
        """What the machine is to be, everything it names being there."""
        ...

    def release(self, workspace: Workspace) -> None:
        """The machine is stopped or gone."""
        ...

    def prepare_warm(self, machine: WarmMachine) -> MachineSpec:
        """What a machine is to be that is nobody's yet: nothing of a person in it."""
        ...

    def release_warm(self, machine: WarmMachine) -> None:
        """It is gone, and was nobody's."""
        ...


class BareSurroundings:
    """Product and size, no mounts and no gateway."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def prepare(self, workspace: Workspace, token: str, because: str) -> MachineSpec:
        """What product and size say. Raises `NotFound` for a product or size that is none."""
        product = self._rooms.records.get(ProductVersion, workspace.product).product
        return self._spec(workspace.id, token, product, workspace.size, workspace.parameters)

    def prepare_warm(self, machine: WarmMachine) -> MachineSpec:
        """The same, with the defaults of the parameters, for nobody."""
        product = self._rooms.records.get(ProductVersion, machine.product).product
        spec = self._spec(machine.id, machine.token, product, machine.size, parameters.settled(product, {}))
        return replace(spec, anonymous=True)

    def _spec(
        self, workspace: str, token: str, product: Product, size_name: str, settled: Mapping[str, Any]
    ) -> MachineSpec:
        size = self._rooms.catalog.size(size_name)
        return MachineSpec(
            workspace=workspace,
            token=token,
            environment=product.environment,
            service=product.service,
            base_url=f"/w/{workspace}/",
            vcpu=size.vcpu,
            memory_bytes=size.memory_bytes,
            home_bytes=product.home_bytes,
            parameters=settled,
        )

    def release(self, workspace: Workspace) -> None:
        """Nothing was made ready."""

    def release_warm(self, machine: WarmMachine) -> None:
        """Nothing was made ready."""
