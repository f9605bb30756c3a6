"""docs/reference/contract.md and contract.schema.json"""

from __future__ import annotations

import inspect
import json
import re

from pydantic import BaseModel

from atoll.deid import contract_json_schema
from atoll.model import contract
from atoll.model import table as lake_table
from reference.keys import Keys
from reference.markdown import code, page, table

_TREATMENTS: tuple[type[BaseModel], ...] = (
    contract.Keep,
    contract.Drop,
    contract.Pseudonymize,
    contract.ShiftDate,
    contract.Generalize,
    contract.Map,
    contract.RedactText,
    contract.Encrypt,
    contract.Constant,
)
#: Classes that stand in types, and what to write for them.
_NOUNS = {
    "TableContract": "tables by name",
    "Keep": "column rules by name",
    "Domain": "domains by name",
    "CsvDialect": "[csv](#csv)",
}
_KEYS = Keys(
    contract,
    _NOUNS,
    enums=frozenset({"Format", "ColumnType", "PartialPolicy"}),
    left_out=frozenset({"treat"}),
)


def contract_schema() -> str:
    """The JSON Schema of a contract."""
    return json.dumps(contract_json_schema(), indent=2, sort_keys=True) + "\n"


def contract_page() -> str:
    """The grammar of contracts: every key with its meaning."""
    blocks = [
        "A contract is a YAML file with the keys below, and no others. Its JSON Schema is "
        "[contract.schema.json](contract.schema.json); `atoll contract check FILE` tells every fault it finds.",
        "## Contract",
        _KEYS.table(contract.Contract),
        "## Domain",
        _prose(contract.Domain),
        _KEYS.table(contract.Domain),
        "## Table",
        _prose(contract.TableContract),
        _KEYS.table(contract.TableContract),
        "### csv",
        _prose(contract.CsvDialect),
        _KEYS.table(contract.CsvDialect),
        "## Column",
        "The keys of `columns` are the names of the delivered columns (or any name, with `path`). Every rule has:",
        _KEYS.table(contract.ColumnRule),
        "A rule of a column that enters, in whatever form (all but `drop`), also has:",
        _KEYS.table(contract.EnteringRule, contract.ColumnRule),
        "### Types",
        _text_block(lake_table.ColumnType),
        "## Treatments",
    ]
    for treatment in _TREATMENTS:
        name = treatment.model_fields["treat"].annotation.__args__[0]  # type: ignore[union-attr]
        blocks += [f"### {name}", _prose(treatment), _KEYS.table(treatment, contract.EnteringRule, contract.ColumnRule)]
    blocks += ["### Partial dates", _values(contract.PartialPolicy)]
    return page("Contracts", *blocks)


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
    return table(("`partial`", "meaning"), [(code(v.value), _KEYS.notes[enum.__name__, v.name]) for v in enum])
