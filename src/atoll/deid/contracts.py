"""From the YAML that people review to a `Contract`, or to every fault in it at once."""

from __future__ import annotations

from typing import Any

from atoll.deid.contract_checks import findings_of
from atoll.errors import ContractInvalid
from atoll.model.contract import Contract
from atoll.reviewed import TextKind, read_text

_CONTRACT = TextKind(
    noun="contract",
    first_key="dataset",
    model=Contract,
    error=ContractInvalid,
    rules=findings_of,
    words={"union_tag_not_found": "says no treatment; give `treat`"},
)


def parse_contract(text: str) -> Contract:
    """The contract that `text` (YAML) states.

    Raises `ContractInvalid` with every finding, each a sentence that starts with its
    line: unreadable YAML, repeated keys, unknown or missing fields, and rules that
    cannot be carried out (see `contract_checks`).
    """
    return read_text(text, _CONTRACT)


def contract_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a contract, for editors and for docs/reference."""
    schema = Contract.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
