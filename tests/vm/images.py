"""Images of virtual machines, built once for all runs of the tests."""

from __future__ import annotations

import fcntl
from pathlib import Path

import yaml
from tests.machines import inside

from atoll.providers.sandbox.environment import Environment
from atoll.providers.vm.declaration import ImageDeclaration, declared_image
from atoll.providers.vm.image import build_image
from atoll.providers.vm.template import make_template

TINY_MEMORY = 192 * inside.MIB


def built_images(directory: Path, *, jupyter: bool = False) -> Path:
    """A directory of images with `tiny` in it, and `jupyter-vm` when asked; one process builds, others wait."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".vm-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if jupyter:
            about = declared_image("jupyter-vm")
            make_template(build_image(about, directory), about.template_vcpu, about.template_memory_bytes)
        else:
            make_template(build_image(tiny(), directory), 1, TINY_MEMORY)
    return directory


def tiny() -> ImageDeclaration:
    """The tests' small environment, on the Debian of the shipped image."""
    place = inside.ENVIRONMENTS / "tiny"
    shipped = declared_image("jupyter-vm")
    environment = Environment.model_validate(yaml.safe_load((place / "environment.yaml").read_text()))
    return shipped.model_copy(
        update={
            "name": "tiny",
            "environment": environment,
            "environment_files": {"server.py": (place / "server.py").read_text()},
            "prewarmed": {},
        }
    )
