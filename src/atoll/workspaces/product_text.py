"""From the YAML that operators review to a `Product`, or to every fault in it at once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from atoll.errors import ProductInvalid
from atoll.model.workspace import Product
from atoll.reviewed import TextKind, read_text
from atoll.workspaces.product_checks import findings_of

#: The products that ship with Atoll.
SHIPPED = Path(__file__).parent / "products"


def parse_product(text: str, sizes: Collection[str]) -> Product:
    """The product that `text` (YAML) states, where `sizes` are the names there are.

    Raises `ProductInvalid` with every finding, each a sentence that starts with its
    line: unreadable YAML, repeated keys, unknown or missing fields, broken rules
    (see `product_checks`).
    """
    kind = TextKind(
        noun="product",
        first_key="name",
        model=Product,
        error=ProductInvalid,
        rules=lambda product: findings_of(product, sizes),
        words={"string_pattern_mismatch": "must be lower case letters, digits, - and _, starting with a letter"},
    )
    return read_text(text, kind)


def product_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a product, for editors and for docs/reference."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Product.model_json_schema()}


def shipped_products() -> tuple[str, ...]:
    """The texts of the products that ship with Atoll, in order of name."""
    return tuple(path.read_text("utf-8") for path in sorted(SHIPPED.glob("*.yaml")))
