"""Tables of the keys of a reviewed text, from its model: names, types, defaults, and the `#:` comments above them."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from reference.markdown import code, table


class Keys:
    """Tables of the models of one module.

    Args:
        module: where the models and their comments stand.
        nouns: classes that stand in types, and what to write for them.
        enums: names of types that are written as their values.
        left_out: names of fields that are told elsewhere.
    """

    def __init__(
        self,
        module: ModuleType,
        nouns: Mapping[str, str],
        *,
        enums: frozenset[str] = frozenset(),
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self._module = module
        self._nouns = nouns
        self._enums = enums
        self._left_out = left_out
        self.notes = notes(module)

    def table(self, model: type[BaseModel], *known: type[BaseModel]) -> str:
        """A row for each key of the model that those known do not have."""
        names = [
            name
            for name in model.model_fields
            if name not in self._left_out and not any(name in k.model_fields for k in known)
        ]
        if not names:
            return ""
        rows = []
        for name in names:
            field = model.model_fields[name]
            meaning = next(
                (self.notes[c.__name__, name] for c in model.__mro__ if (c.__name__, name) in self.notes), ""
            )
            rows.append((code(field.alias or name), self._type(field), _default(field), meaning))
        return table(("key", "type", "default", "meaning"), rows)

    def _type(self, field: FieldInfo) -> str:
        text = inspect.formatannotation(field.annotation)
        for noun, words in self._nouns.items():
            if noun in text:
                return words
        text = re.sub(r"(\w+\.)+", "", text).replace(" | None", "").replace("tuple[str, ...]", "list of str")
        if text in self._enums:
            return " ".join(code(v.value) for v in getattr(self._module, text))
        literal = re.fullmatch(r"(?:frozenset\[)?Literal\[(.*?)\]\]?", text)
        if literal:
            values = " ".join(code(value.strip("'\" ")) for value in literal.group(1).split(","))
            return f"list of {values}" if text.startswith("frozenset") else values
        return ", ".join([text, *_bounds(field)])


def _bounds(field: FieldInfo) -> list[str]:
    found = []
    for rule in field.metadata:
        for attribute, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤")):
            if getattr(rule, attribute, None) is not None:
                found.append(f"{sign} {getattr(rule, attribute)}")
        if getattr(rule, "pattern", None) is not None:
            found.append(f"matches {code(rule.pattern)}")
    return found


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value in (None, "", (), {}, frozenset()) or isinstance(value, BaseModel):
        return ""
    return code(json.dumps(value) if isinstance(value, bool) else getattr(value, "value", value))


def notes(module: ModuleType) -> dict[tuple[str, str], str]:
    """The `#:` comments above the fields of the module's classes."""
    source = Path(inspect.getsourcefile(module) or "").read_text()
    lines = source.splitlines()
    notes: dict[tuple[str, str], str] = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for item in node.body:
            target = item.target if isinstance(item, ast.AnnAssign) else None
            if isinstance(item, ast.Assign):
                target = item.targets[0]  # type: ignore[assignment]
            if isinstance(target, ast.Name):
                notes[node.name, target.id] = _above(lines, item.lineno)
    return {key: note for key, note in notes.items() if note}


def _above(lines: list[str], line_number: int) -> str:
    found: list[str] = []
    at = line_number - 2
    while at >= 0 and lines[at].strip().startswith("#:"):
        found.insert(0, lines[at].strip()[2:].strip())
        at -= 1
    return " ".join(found)
