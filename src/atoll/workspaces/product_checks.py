"""What a well-formed product must also fulfil, so that it can be launched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from jsonschema import Draft202012Validator

from atoll.model.workspace import Product
from atoll.reviewed import Finding

#: What may be done instead of a capability that a backend lacks, in words for people.
FALLBACKS: dict[str, dict[str, str]] = {
    "hibernate": {"stop": "it is stopped instead; what is in memory is lost"},
    "resize": {"stop": "it must be stopped to be resized"},
}

_SIMPLE = ("string", "integer", "number", "boolean")


def findings_of(product: Product, sizes: Collection[str]) -> list[Finding]:
    """Every fault of `product`, given the names of the sizes there are; empty when it holds."""
    return [
        *_sizes(product, sizes),
        *_fallbacks(product),
        *_lifetime(product),
        *_warm_pool(product),
        *_parameters(product.parameters),
    ]


def _sizes(product: Product, sizes: Collection[str]) -> Iterator[Finding]:
    for index, name in enumerate(product.sizes):
        if name not in sizes:
            yield Finding(("sizes", index), f"`{name}` is no size; `atoll size list` has them")
    for name, times in Counter(product.sizes).items():
        if times > 1:
            yield Finding(("sizes",), f"has `{name}` twice")


def _fallbacks(product: Product) -> Iterator[Finding]:
    for capability, instead in product.fallback.items():
        at = ("fallback", capability)
        known = FALLBACKS.get(capability)
        if known is None:
            yield Finding(at, f"cannot fall back; only {' and '.join(FALLBACKS)} can")
        elif instead not in known:
            yield Finding(at, f"must be {' or '.join(known)}, not `{instead}`")
        if known is not None and capability not in product.needs:
            yield Finding(at, "is not among `needs`, so nothing would fall back")


def _lifetime(product: Product) -> Iterator[Finding]:
    if product.lifetime.warn_days >= product.lifetime.days:
        yield Finding(("lifetime", "warn_days"), "must be less than `days`, else it warns from the start")
    if product.idle.action == "hibernate" and "hibernate" not in product.needs:
        yield Finding(("idle", "action"), "is hibernate, so `needs` must name hibernate")
    if product.service == "batch" and product.idle.action != "none":
        yield Finding(("idle", "action"), "must be none for a batch job: a script that waits is at work")


def _warm_pool(product: Product) -> Iterator[Finding]:
    if product.service == "batch" and product.warm_pool:
        yield Finding(("warm_pool",), "is for services; a batch job is not kept ready")
    for name in product.warm_pool:
        if name not in product.sizes:
            yield Finding(("warm_pool", name), "is not among the product's `sizes`")
    rules = product.parameters.get("properties") or {}
    for name in product.parameters.get("required", ()) if product.warm_pool else ():
        if isinstance(rules, dict) and isinstance(rules.get(name), dict) and "default" not in rules[name]:
            yield Finding(("warm_pool",), f"needs a default of the parameter `{name}`: nobody has said it yet")


def _parameters(schema: dict[str, Any]) -> Iterator[Finding]:
    """Parameters are a flat form: an object of simple values, each with a title, nothing beside."""
    if not schema:
        return
    faulty = False
    for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema):
        faulty = True
        yield Finding(("parameters", *error.absolute_path), "does not hold as JSON Schema (2020-12)")
    if faulty:
        return
    if _holds_reference(schema):
        yield Finding(("parameters",), "refers to another place (`$ref`); write it out")
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        yield Finding(("parameters",), "must have `type: object` and `additionalProperties: false`")
    properties = schema.get("properties") or {}
    for name, rule in properties.items():
        yield from _parameter(("parameters", "properties", name), rule)
    for name in schema.get("required", ()):
        if name not in properties:
            yield Finding(("parameters", "required"), f"names `{name}`, which is no property")


def _parameter(at: tuple[str | int, ...], rule: object) -> Iterator[Finding]:
    if not isinstance(rule, dict) or not rule.get("title"):
        yield Finding(at, "needs a `title`, which its field in the form will have")
        return
    kind = rule.get("type")
    of = rule.get("items", {}).get("type") if kind == "array" and isinstance(rule.get("items"), dict) else kind
    if of not in _SIMPLE:
        yield Finding((*at, "type"), f"must be {', '.join(_SIMPLE)}, or an array of one of them")
    elif "default" in rule and not Draft202012Validator(rule).is_valid(rule["default"]):
        yield Finding((*at, "default"), "does not fulfil the parameter's own rule")


def _holds_reference(schema: object) -> bool:
    if isinstance(schema, dict):
        return any(key in ("$ref", "$dynamicRef") or _holds_reference(value) for key, value in schema.items())
    return isinstance(schema, list) and any(map(_holds_reference, schema))
