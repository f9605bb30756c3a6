"""docs/reference/settings.md"""

from __future__ import annotations

from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from atoll.settings import Settings
from reference.markdown import code, page, table


def settings_page() -> str:
    """Every setting: environment variable, type, default, meaning."""
    prefix = str(Settings.model_config["env_prefix"])
    rows = [
        (code(f"{prefix}{name}".upper()), _type(field), code(_default(field)) or "(empty)", field.description or "")
        for name, field in sorted(Settings.model_fields.items())
    ]
    return page(
        "Settings",
        "Settings of the platform are read from the environment when it starts. `GET /api/v1/settings` shows "
        "those in force, secrets masked.",
        table(("variable", "type", "default", "meaning"), rows),
    )


def undescribed() -> list[str]:
    """Settings without a description; there must be none."""
    return [name for name, field in Settings.model_fields.items() if not field.description]


def _type(field: FieldInfo) -> str:
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    names = ["secret" if kind is SecretStr else getattr(kind, "__name__", str(kind)).lower() for kind in kinds]
    bounds = [
        f"{sign} {getattr(rule, attribute)}"
        for rule in field.metadata
        for attribute, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))
        if hasattr(rule, attribute)
    ]
    return ", ".join([" or ".join(names), *bounds])


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)
