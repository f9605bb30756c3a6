"""From the YAML that people review to a `Contract`, or to every fault in it at once."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from atoll.deid.contract_checks import Finding, findings_of
from atoll.deid.yaml_source import Path, YamlSource
from atoll.errors import ContractInvalid
from atoll.model.contract import Contract

#: Words for the faults that Pydantic finds, by its error type.
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field here",
    "union_tag_not_found": "says no treatment; give `treat`",
    "string_type": "must be text; put it in quotes",
}


def parse_contract(text: str) -> Contract:
    """The contract that `text` (YAML) states.

    Raises `ContractInvalid` with every finding, each a sentence that starts with its
    line: unreadable YAML, repeated keys, unknown or missing fields, and rules that
    cannot be carried out (see `contract_checks`).
    """
    source = YamlSource(text)
    findings = list(source.duplicates)
    contract: Contract | None = None
    try:
        contract = Contract.model_validate(source.value)
    except ValidationError as error:
        findings += [_shape_finding(source, dict(fault)) for fault in error.errors(include_url=False)]
    else:
        findings += [_rule_finding(source, finding) for finding in findings_of(contract)]
    if findings or contract is None:
        many = f"{len(findings)} faults" if len(findings) != 1 else "one fault"
        raise ContractInvalid(
            f"The contract has {many}.",
            findings=tuple(sorted(findings, key=_line_of)),
            todo="Mend each and check again.",
        )
    return contract


def contract_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a contract, for editors and for docs/reference."""
    schema = Contract.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _shape_finding(source: YamlSource, fault: dict[str, Any]) -> str:
    path = _in_text(source, tuple(fault["loc"]))
    words = _WORDS.get(fault["type"]) or str(fault["msg"])[:1].lower() + str(fault["msg"])[1:]
    return f"line {source.line(path)}: `{_dotted(path)}` {words}"


def _rule_finding(source: YamlSource, finding: Finding) -> str:
    return f"line {source.line(finding.path)}: `{_dotted(finding.path)}` {finding.what}"


def _in_text(source: YamlSource, loc: Path) -> Path:
    """`loc` without the tags that Pydantic puts in for the chosen kind of rule."""
    path: Path = ()
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if source.has((*path, part)) or last:
            path = (*path, part)
    return path


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path) or "contract"


def _line_of(finding: str) -> int:
    number = finding.removeprefix("line ").split(":", 1)[0]
    return int(number) if number.isdigit() else 0
