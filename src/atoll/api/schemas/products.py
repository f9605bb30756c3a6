"""Products and sizes as the API shows and takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import Field

from atoll.model.person import NAME
from atoll.model.record import Frozen
from atoll.model.said import FormSchema, Sentence
from atoll.model.workspace import IdleRule, LifetimeRule, Product, ProductState, ProductVersion, Size
from atoll.workspaces.prices import working_month_eur


class SizeAnswer(Frozen):
    """A size of machine and its price."""

    name: str
    family: str
    vcpu: float
    memory_bytes: int
    eur_per_hour: Decimal
    #: For a month of 40 hours a week.
    eur_per_working_month: Decimal

    @classmethod
    def of(cls, size: Size) -> Self:
        """The size with its price for a month of working hours."""
        return cls(**size.model_dump(), eur_per_working_month=working_month_eur(size))


class ProductText(Frozen):
    """The YAML of a product, and who may launch it."""

    text: Annotated[str, Field(max_length=2**20)]
    #: Names of the projects that may launch it; left out, every project.
    projects: Annotated[frozenset[Annotated[str, Field(pattern=NAME)]], Field(min_length=1, max_length=1000)] | None = (
        None
    )


class VersionAnswer(Frozen):
    """A version of a product, in short."""

    id: str
    number: int
    state: ProductState
    #: Projects that may launch it, of those the caller knows of; null: every project.
    projects: tuple[str, ...] | None
    published_by: str
    published_at: datetime

    @classmethod
    def of(cls, version: ProductVersion) -> Self:
        """The version."""
        return cls(
            id=version.id,
            number=version.number,
            state=version.state,
            projects=None if version.projects is None else tuple(sorted(version.projects)),
            published_by=version.published_by,
            published_at=version.published_at,
        )


class ProductAnswer(VersionAnswer):
    """A version of a product, its text byte for byte as it was reviewed."""

    name: str
    title: Sentence
    description: Sentence
    environment: str
    service: str
    #: Sizes it is launched in, the first is the default.
    sizes: tuple[SizeAnswer, ...]
    needs: tuple[str, ...]
    fallback: dict[str, str]
    #: JSON Schema of the parameters; a form can be made from it.
    parameters: FormSchema
    home_bytes: int
    idle: IdleRule
    lifetime: LifetimeRule
    #: Machines kept ready for a quick launch, by name of the size.
    warm_pool: dict[str, int]
    text: str

    @classmethod
    def priced(cls, version: ProductVersion, sizes: Mapping[str, Size]) -> Self:
        """The version with the prices of its sizes; a size that is no more is left out."""
        return cls(**_fields(version, sizes))


class ProductDetail(ProductAnswer):
    """The version that a launch takes, and all there are."""

    versions: tuple[VersionAnswer, ...]

    @classmethod
    def whole(cls, versions: Sequence[ProductVersion], sizes: Mapping[str, Size]) -> Self:
        """The first of the versions in full, and all in short."""
        return cls(**_fields(versions[0], sizes), versions=tuple(map(VersionAnswer.of, versions)))


def _fields(version: ProductVersion, sizes: Mapping[str, Size]) -> dict[str, Any]:
    product: Product = version.product
    return {
        **dict(VersionAnswer.of(version)),
        "name": version.name,
        "title": product.title,
        "description": product.description,
        "environment": product.environment,
        "service": product.service,
        "sizes": tuple(SizeAnswer.of(sizes[name]) for name in product.sizes if name in sizes),
        "needs": tuple(sorted(product.needs)),
        "fallback": product.fallback,
        "parameters": product.parameters,
        "home_bytes": product.home_bytes,
        "idle": product.idle,
        "lifetime": product.lifetime,
        "warm_pool": product.warm_pool,
        "text": version.text,
    }
