"""What a machine's agent is told of whom it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from atoll.model.workspace import Service
from atoll.ports.backend import MachineSpec
from atoll.providers.sandbox.command import HOME, standard_variables
from atoll.providers.sandbox.environment import Environment

#: The base URL of a service that is started before it is anybody's.
NOBODYS_URL = "/w/nobody-s-machine/"
_PYTHON, _SOCKET = "/usr/bin/python3", "/run/m/jup.sock"
_LATE = "/opt/atoll/late.py"
_MOST_FILE_BYTES = 65_536


def variables_of(
    spec_variables: dict[str, str], declared: Environment, workspace: str, *, gateway: bool
) -> dict[str, str]:
    """Environment variables of the service."""
    standard = standard_variables(f"{HOME}/.local/bin:/usr/local/bin:/usr/bin:/bin", workspace, gateway=gateway)
    return {**standard, **declared.variables, **spec_variables}


def command_of(service: Service, parameters: dict[str, Any], declared: Environment, base_url: str) -> list[str]:
    """The service's command, inside. Raises `InvalidInput`."""
    return declared.command(service, parameters, socket=_SOCKET, base_url=base_url, python=_PYTHON)


def waiting_command(command: list[str]) -> list[str]:
    """The same, started for nobody: it takes a person by the socket that is handed to it."""
    at = command.index("-m")
    return [*command[:at], _LATE, "@FD", NOBODYS_URL, *command[at:]]


def become_order(spec: MachineSpec, declared: Environment, warmed: list[str] | None) -> dict[str, Any]:
    """Names, files, variables and command; `command` is None when what a template has running serves.

    `warmed` is the command that the template's service was started by. Raises `InvalidInput`.
    """
    cold = command_of(spec.service, dict(spec.parameters), declared, spec.base_url)
    serves = warmed is not None and command_of(spec.service, dict(spec.parameters), declared, NOBODYS_URL) == warmed
    return {
        "hostname": spec.workspace.replace("_", "-")[:63].strip("-"),
        "base_url": spec.base_url,
        "variables": variables_of(dict(spec.variables), declared, spec.workspace, gateway=spec.gateway is not None),
        "links": declared.links,
        "files": declared.files,
        "system_files": gateway_files(spec.gateway),
        "command": None if serves else cold,
        "cold_command": cold,
    }


def gateway_files(gateway: Path | None) -> dict[str, str]:
    """The files beside the gateway's socket, by path inside; they hold no secret."""
    found = {}
    for path in sorted(gateway.iterdir()) if gateway is not None and gateway.is_dir() else ():
        if path.is_file() and path.stat().st_size <= _MOST_FILE_BYTES:
            found[f"/run/gw/{path.name}"] = path.read_text(encoding="utf-8")
    return found
