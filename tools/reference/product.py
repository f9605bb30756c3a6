"""docs/reference/product.md and product.schema.json"""

from __future__ import annotations

import inspect
import json

from atoll.model import workspace
from atoll.workspaces.prices import WORKING_HOURS_A_MONTH, working_month_eur
from atoll.workspaces.product_checks import FALLBACKS
from atoll.workspaces.product_text import product_json_schema
from atoll.workspaces.sizes import load_sizes
from reference.keys import Keys
from reference.markdown import code, page, table

_KEYS = Keys(
    workspace,
    {
        "IdleRule": "[idle](#idle)",
        "LifetimeRule": "[lifetime](#lifetime)",
        "dict[str, typing.Any]": "JSON Schema",
        "dict[str, str]": "value by capability",
        "dict[str, typing.Annotated[int": "number by size, ≥ 0, ≤ 10",
    },
)


def product_schema() -> str:
    """The JSON Schema of a product."""
    return json.dumps(product_json_schema(), indent=2, sort_keys=True) + "\n"


def product_page() -> str:
    """The grammar of products, and the sizes that ship with Atoll."""
    fallbacks = [
        (code(capability), code(instead), words)
        for capability, choices in FALLBACKS.items()
        for instead, words in choices.items()
    ]
    sizes = [
        (
            code(size.name),
            f"{size.vcpu:g}",
            f"{size.memory_bytes / 2**30:g} GiB",
            f"{size.eur_per_hour} EUR",
            f"{working_month_eur(size)} EUR",
        )
        for size in load_sizes()
    ]
    return page(
        "Products and sizes",
        "A product is a YAML file with the keys below, and no others. Its JSON Schema is "
        "[product.schema.json](product.schema.json); `atoll product publish FILE` tells every fault it finds and puts "
        "it in force as the next version.",
        "## Product",
        _KEYS.table(workspace.Product),
        "`parameters` is a flat form: `type: object`, `additionalProperties: false`, and properties that are strings, "
        "numbers, booleans or lists of one of them, each with a `title`. References (`$ref`) are refused.",
        "### fallback",
        "What is done where a backend lacks a capability that the product needs. A capability that is not here has no "
        "fallback: the product is then not launched there.",
        table(("capability", "value", "what is done"), fallbacks),
        "### idle",
        inspect.cleandoc(workspace.IdleRule.__doc__ or ""),
        _KEYS.table(workspace.IdleRule),
        "### lifetime",
        inspect.cleandoc(workspace.LifetimeRule.__doc__ or ""),
        _KEYS.table(workspace.LifetimeRule),
        "## Sizes",
        f"Prices are for running, without tax, by the second; a month of working hours has {WORKING_HOURS_A_MONTH} "
        "hours (52 weeks of 40, a twelfth of them). `ATOLL_SIZE_TABLE` names another table.",
        table(("size", "vCPU", "memory", "an hour", "a month of working hours"), sizes),
    )
