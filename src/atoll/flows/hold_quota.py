"""Whether there is room for a machine: of its person, of its project, on the host."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.flows.rooms import Rooms
from atoll.model.workspace import HibernateKind, Size, Workspace
from atoll.ports.records import every
from atoll.workspaces import quotas
from atoll.workspaces.quotas import Amount, Quota


def check_room(
    rooms: Rooms, size: Size, others: Sequence[Workspace], *, owner: str, owner_login: str, project: str
) -> None:
    """Raise `LimitExceeded`, which names the quota and its figures, when a machine of the size does not fit.

    `others` are the standing workspaces, without the one that changes.
    """
    held = room_quotas(rooms, others, owner=owner, owner_login=owner_login, project=project)
    quotas.check(Amount.of(size), held)


def room_quotas(
    rooms: Rooms, others: Sequence[Workspace], *, owner: str, owner_login: str, project: str
) -> tuple[Quota, ...]:
    """The quotas that a machine of the person in the project counts in, with what `others` take of them."""
    settings = rooms.settings
    host = quotas.host_capacity(settings.host_vcpu, settings.host_memory_bytes, settings.host_vcpu_per_processor)
    return (
        Quota(
            f"the person {owner_login}",
            Amount(settings.person_vcpu, settings.person_memory_bytes),
            _taken(rooms, [ws for ws in others if ws.owner == owner]),
            "Stop one of your machines or choose a smaller size; an operator can raise the quota.",
        ),
        Quota(
            f"the project {project}",
            Amount(settings.project_vcpu, settings.project_memory_bytes),
            _taken(rooms, [ws for ws in others if ws.project == project]),
            "Have a machine of the project stopped or choose a smaller size; an operator can raise the quota.",
        ),
        Quota(
            "this host",
            host,
            _taken(rooms, others),
            "Choose a smaller size, or wait until others have stopped theirs.",
        ),
    )


def standing_workspaces(rooms: Rooms) -> tuple[Workspace, ...]:
    """Every workspace that is not gone, in order of id."""
    return tuple(every(rooms.records, Workspace, {"standing": "standing"}))


def host_room(rooms: Rooms) -> tuple[Amount, Amount]:
    """What the machines of this host may take together, and what its workspaces take of it."""
    settings = rooms.settings
    host = quotas.host_capacity(settings.host_vcpu, settings.host_memory_bytes, settings.host_vcpu_per_processor)
    return host, _taken(rooms, standing_workspaces(rooms))


def _taken(rooms: Rooms, workspaces: Sequence[Workspace]) -> Amount:
    kinds = {name: backend.capabilities.hibernate for name, backend in rooms.backends.items()}
    sizes = {size.name: size for size in rooms.catalog.sizes()}
    # A size that the table has no more counts for nothing; a backend that is not here may keep memory.
    return quotas.taken(
        (workspace, sizes[workspace.size], kinds.get(workspace.backend, HibernateKind.MEMORY))
        for workspace in workspaces
        if workspace.size in sizes
    )
