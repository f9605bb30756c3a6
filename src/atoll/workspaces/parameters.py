"""Parameters of a launch, against the schema of the product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from atoll.errors import InvalidInput
from atoll.model.workspace import Product

#: What each rule asks, in words that need not show the value.
_WORDS: Mapping[str, str] = {
    "type": "must be {rule}",
    "minLength": "needs at least {rule} characters",
    "maxLength": "takes at most {rule} characters",
    "minimum": "must be at least {rule}",
    "maximum": "must be at most {rule}",
    "enum": "must be one of {rule}",
    "pattern": "must match {rule}",
    "maxItems": "takes at most {rule} items",
    "minItems": "needs at least {rule} items",
}


def settled(product: Product, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the defaults of the product filled in.

    Raises `InvalidInput` that names every parameter that does not hold, never its value.
    """
    schema = product.parameters or {"type": "object", "additionalProperties": False}
    defaults = {
        name: rule["default"]
        for name, rule in (schema.get("properties") or {}).items()
        if isinstance(rule, dict) and "default" in rule
    }
    values = {**defaults, **given}
    faults = [_words(error) for error in Draft202012Validator(schema).iter_errors(values)]
    if faults:
        raise InvalidInput(
            f"The parameters do not hold: {'; '.join(sorted(faults))}.",
            where=f"parameters of {product.name}",
            todo=f"`atoll product show {product.name}` tells which there are.",
        )
    return values


def _words(error: ValidationError) -> str:
    name = ".".join(str(part) for part in error.absolute_path)
    rule = str(error.validator)
    if rule == "required" and isinstance(error.validator_value, list):
        missing = [
            key for key in error.validator_value if isinstance(error.instance, dict) and key not in error.instance
        ]
        return f"{', '.join(missing)} is missing"
    if rule == "additionalProperties":
        return "there is one that the product does not have"
    asked = error.validator_value
    shown = ", ".join(map(str, asked)) if isinstance(asked, list) else str(asked)
    return f"{name} {_WORDS.get(rule, 'does not fulfil its rule').format(rule=shown)}"
