"""Machines as virtual machines on this host, run by QEMU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def shipped_images() -> tuple[str, ...]:
    """Names of the images that come with Atoll."""
    from atoll.providers.vm import declaration

    return declaration.shipped_images()


def build_virtual_machine(name: str, directory: Path) -> Path:
    """Build a shipped image as `<directory>/<name>` and the template of its size, unless they stand as declared.

    Raises `NotFound` for an unknown name, `Unavailable` when a step fails.
    """
    from atoll.providers.vm.declaration import declared_image
    from atoll.providers.vm.image import build_image
    from atoll.providers.vm.template import make_template

    declared = declared_image(name)
    built = build_image(declared, directory)
    make_template(built, declared.template_vcpu, declared.template_memory_bytes)
    return built
