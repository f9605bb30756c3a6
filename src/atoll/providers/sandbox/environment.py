"""What runs inside a machine: an environment, declared in YAML and built on the host."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from atoll.errors import InvalidInput, NotFound
from atoll.model.workspace import Service

#: Where a built environment is seen inside.
INSIDE = "/opt/environment"
DECLARATION = "environment.yaml"


class Environment(BaseModel):
    """One environment.

    In `services` a word is one argument; `{socket}`, `{base_url}` and each parameter of
    the product by its name in braces are filled in. A list among the parameters gives
    as many arguments.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    #: File of pinned and hashed Python packages beside the declaration, None for no Python of its own.
    requirements: str | None = None
    #: Whether R comes with it, from the host's Debian packages.
    r: bool = False
    #: Environment variables inside.
    variables: dict[str, str] = {}
    #: Command by service.
    services: dict[Service, tuple[str, ...]]
    #: Values of parameters where the product gives none.
    defaults: dict[str, Any] = {}
    #: Symbolic links and files the home gets at a start when they are absent.
    links: dict[str, str] = {}
    files: dict[str, str] = {}

    def command(self, service: Service, parameters: Mapping[str, Any], **filled: str) -> list[str]:
        """The command of a service with its words filled in. Raises `InvalidInput`."""
        if service not in self.services:
            raise InvalidInput(f"The environment has no service `{service}`.", where=self.name)
        values: dict[str, Any] = {**self.defaults, **parameters, **filled}
        words: list[str] = []
        for word in self.services[service]:
            name = word[1:-1] if word.startswith("{") and word.endswith("}") else None
            value = values.get(name) if name else None
            if isinstance(value, list | tuple):
                words += [str(part) for part in value]
                continue
            try:
                words.append(word.format_map(values))
            except (KeyError, ValueError, IndexError, AttributeError):
                raise InvalidInput(f"A parameter is missing for `{word}`.", where=self.name) from None
        return words


def read_environment(directory: Path) -> Environment:
    """The environment built in a directory. Raises `NotFound`, or `InvalidInput` for a bad declaration."""
    file = directory / DECLARATION
    try:
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError:
        raise NotFound(
            "The environment is not built on this host.",
            where=directory.name,
            todo=f"Run `atoll environment build {directory.name}`.",
        ) from None
    except yaml.YAMLError as error:
        raise InvalidInput(
            "The declaration is not YAML.", where=str(getattr(error, "problem_mark", file.name))
        ) from None
    try:
        return Environment.model_validate(declared)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"The declaration does not hold: {first['msg']}.", where=f"{directory.name}: {place}"
        ) from None


def base_python() -> Path:
    """Prefix of the Python that environments stand on."""
    return Path(sys.base_prefix)
