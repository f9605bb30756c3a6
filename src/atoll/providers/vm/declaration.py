"""What a virtual machine's image is made of, declared in YAML."""

from __future__ import annotations

from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict, Field

from atoll.errors import NotFound
from atoll.model.workspace import Service
from atoll.providers.sandbox.environment import Environment

_FILES = resources.files("atoll.providers.vm") / "images"


class ImageDeclaration(BaseModel):
    """One image: Debian packages, a kernel, and an environment of the sandbox's kind.

    `prewarmed` names services that a template has running, each with the pages below its
    base URL that it is asked for once before the template is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    #: Name of an environment that ships with the sandbox, or one declared here in full.
    environment: str | Environment
    suite: str
    #: Version of Python in the suite, `major.minor`.
    python: str
    packages: tuple[str, ...] = Field(min_length=1)
    kernel: str
    prewarmed: dict[Service, tuple[str, ...]] = {}
    #: Files of the environment beside its packages, by path below it.
    environment_files: dict[str, str] = {}
    #: Size for which the template is made with the image.
    template_vcpu: int = Field(default=1, ge=1)
    template_memory_bytes: int = Field(default=2**30, ge=2**27)


def shipped_images() -> tuple[str, ...]:
    """Names of the images that come with Atoll."""
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in _FILES.iterdir() if entry.name.endswith(".yaml")))


def declared_image(name: str) -> ImageDeclaration:
    """The declaration of a shipped image. Raises `NotFound`."""
    if name not in shipped_images():
        raise NotFound("No image of this name comes with Atoll.", where=name, todo="See `atoll environment list`.")
    return ImageDeclaration.model_validate(yaml.safe_load((_FILES / f"{name}.yaml").read_text(encoding="utf-8")))
