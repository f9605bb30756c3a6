"""What a machine reaches, by one unix socket: the API as its workspace, packages by the mirror, its project's git."""

from __future__ import annotations

from atoll.gateway.gateway import Gateway, GatewayLimits
from atoll.gateway.git import Backups, Repositories
from atoll.gateway.host import GatewayHost
from atoll.gateway.inside import PORT, inside_configuration, inside_variables, write_configuration
from atoll.gateway.machine import Callbacks, Identity, Machine
from atoll.gateway.mirror import Mirror, MirrorRules, discovered

__all__ = [
    "PORT",
    "Backups",
    "Callbacks",
    "Gateway",
    "GatewayHost",
    "GatewayLimits",
    "Identity",
    "Machine",
    "Mirror",
    "MirrorRules",
    "Repositories",
    "discovered",
    "inside_configuration",
    "inside_variables",
    "write_configuration",
]
