"""From the YAML that people review to the model it states, or to every fault in it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from atoll.errors import TextInvalid
from atoll.reviewed.yaml_source import Path, YamlSource

M = TypeVar("M", bound=BaseModel)

#: Words for the faults that Pydantic finds, by its error type.
_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field here",
    "string_type": "must be text; put it in quotes",
}


@dataclass(frozen=True)
class Finding:
    """A fault, and where in the text it stands."""

    path: Path
    what: str


@dataclass(frozen=True)
class TextKind(Generic[M]):
    """A kind of text.

    Attributes:
        noun: what it is called in errors, e.g. `contract`.
        first_key: the key that it starts with.
        model: what it states.
        error: raised when it does not hold.
        rules: what a well-formed one must also fulfil.
        words: for faults of its shape, by Pydantic's error type, beside those all kinds have.
    """

    noun: str
    first_key: str
    model: type[M]
    error: type[TextInvalid]
    rules: Callable[[M], Sequence[Finding]]
    words: Mapping[str, str] = field(default_factory=dict)


def read_text(text: str, kind: TextKind[M]) -> M:
    """What `text` (YAML) states.

    Raises `kind.error` with every finding, each a sentence that starts with its line:
    unreadable YAML, repeated keys, unknown or missing fields, and broken rules.
    """
    source = YamlSource(text, noun=kind.noun, first_key=kind.first_key, error=kind.error)
    findings = list(source.duplicates)
    stated: M | None = None
    try:
        stated = kind.model.model_validate(source.value)
    except ValidationError as error:
        findings += [_shape_finding(source, kind, dict(fault)) for fault in error.errors(include_url=False)]
    else:
        findings += [_told(source, kind, finding.path, finding.what) for finding in kind.rules(stated)]
    if findings or stated is None:
        many = f"{len(findings)} faults" if len(findings) != 1 else "one fault"
        raise kind.error(
            f"The {kind.noun} has {many}.",
            findings=tuple(sorted(findings, key=_line_of)),
            todo="Mend each and check again.",
        )
    return stated


def _shape_finding(source: YamlSource, kind: TextKind[M], fault: dict[str, Any]) -> str:
    words = {**_WORDS, **kind.words}.get(fault["type"]) or str(fault["msg"])[:1].lower() + str(fault["msg"])[1:]
    return _told(source, kind, _in_text(source, tuple(fault["loc"])), words)


def _told(source: YamlSource, kind: TextKind[M], path: Path, what: str) -> str:
    return f"line {source.line(path)}: `{'.'.join(str(part) for part in path) or kind.noun}` {what}"


def _in_text(source: YamlSource, loc: Path) -> Path:
    """`loc` without the tags that Pydantic puts in for the chosen kind of rule."""
    path: Path = ()
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if source.has((*path, part)) or last:
            path = (*path, part)
    return path


def _line_of(finding: str) -> int:
    number = finding.removeprefix("line ").split(":", 1)[0]
    return int(number) if number.isdigit() else 0
