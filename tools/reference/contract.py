"""docs/reference/contract.md and contract.schema.json"""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from atoll.deid import contract_json_schema
from atoll.model import contract
from atoll.model import table as lake_table
from reference.markdown import code, page, table

_TREATMENTS: tuple[type[BaseModel], ...] = (
    contract.Keep,
    contract.Drop,
    contract.Pseudonymize,
    contract.ShiftDate,
    contract.Generalize,
    contract.Map,
    contract.Constant,
)
#: Classes that stand in types, and what to write for them.
_NOUNS = {
    "TableContract": "tables by name",
    "Keep": "column rules by name",
    "Domain": "domains by name",
    "CsvDialect": "[csv](#csv)",
}


def contract_schema() -> str:
    """The JSON Schema of a contract."""
    return json.dumps(contract_json_schema(), indent=2, sort_keys=True) + "\n"


def contract_page() -> str:
    """The grammar of contracts: every key with its meaning."""
    blocks = [
        "A contract is a YAML file with the keys below, and no others. Its JSON Schema is "
        "[contract.schema.json](contract.schema.json); `atoll contract check FILE` tells every fault it finds.",
        "## Contract",
        _keys(contract.Contract),
        "## Domain",
        _prose(contract.Domain),
        _keys(contract.Domain),
        "## Table",
        _prose(contract.TableContract),
        _keys(contract.TableContract),
        "### csv",
        _prose(contract.CsvDialect),
        _keys(contract.CsvDialect),
        "## Column",
        "The keys of `columns` are the names of the delivered columns (or any name, with `path`). Every rule has:",
        _keys(contract.ColumnRule),
        "A rule of a column that enters, in whatever form (all but `drop`), also has:",
        _keys(contract.EnteringRule, contract.ColumnRule),
        "### Types",
        _text_block(lake_table.ColumnType),
        "## Treatments",
    ]
    for treatment in _TREATMENTS:
        name = treatment.model_fields["treat"].annotation.__args__[0]  # type: ignore[union-attr]
        blocks += [f"### {name}", _prose(treatment), _keys(treatment, contract.EnteringRule, contract.ColumnRule)]
    blocks += ["### Partial dates", _values(contract.PartialPolicy)]
    return page("Contracts", *blocks)


def _keys(model: type[BaseModel], *known: type[BaseModel]) -> str:
    names = [name for name in model.model_fields if name != "treat" and not any(name in k.model_fields for k in known)]
    if not names:
        return ""
    notes = _notes(contract)
    rows = []
    for name in names:
        field = model.model_fields[name]
        meaning = next((notes[c.__name__, name] for c in model.__mro__ if (c.__name__, name) in notes), "")
        rows.append((code(field.alias or name), _type(field), _default(field), meaning))
    return table(("key", "type", "default", "meaning"), rows)


def _type(field: FieldInfo) -> str:
    text = inspect.formatannotation(field.annotation)
    for noun, words in _NOUNS.items():
        if noun in text:
            return words
    text = re.sub(r"(\w+\.)+", "", text).replace(" | None", "").replace("tuple[str, ...]", "list of str")
    if text in {"Format", "ColumnType", "PartialPolicy"}:
        return " ".join(code(v.value) for v in getattr(contract, text))
    literal = re.fullmatch(r"Literal\[(.*)\]", text)
    if literal:
        return " ".join(code(value.strip("'\" ")) for value in literal.group(1).split(","))
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
    if value in (None, "", (), {}) or isinstance(value, BaseModel):
        return ""
    return code(json.dumps(value) if isinstance(value, bool) else getattr(value, "value", value))


def _prose(model: type) -> str:
    return (
        _text_block(model) if "\n" in inspect.cleandoc(model.__doc__ or "") else inspect.cleandoc(model.__doc__ or "")
    )


def _text_block(model: type) -> str:
    """The docstring: prose as prose, lines that are laid out by hand as they are."""
    first, _, rest = inspect.cleandoc(model.__doc__ or "").partition("\n\n")
    laid_out = re.search(r"^ +|\s->\s", rest, re.MULTILINE)
    return first + (f"\n\n```text\n{rest}\n```" if laid_out else f"\n\n{rest}")


def _values(enum: type[contract.PartialPolicy]) -> str:
    notes = _notes(contract)
    return table(("`partial`", "meaning"), [(code(v.value), notes[enum.__name__, v.name]) for v in enum])


def _notes(module: ModuleType) -> dict[tuple[str, str], str]:
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
