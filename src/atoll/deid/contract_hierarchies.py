"""Whether a rule's hierarchy of codes can be followed."""

from __future__ import annotations

from collections.abc import Iterator

from atoll.deid.hierarchies import hierarchies
from atoll.deid.treatments.hierarchy import bounds
from atoll.model.contract import Generalize
from atoll.reviewed import Finding

_FIELDS = ("hierarchy", "classes", "otherwise")


def hierarchy_findings(at: tuple[str | int, ...], rule: Generalize) -> Iterator[Finding]:
    """One of a shipped hierarchy and classes of one's own; each code in one class."""
    if rule.to != "hierarchy":
        for field in _FIELDS:
            if field in rule.model_fields_set:
                yield Finding((*at, field), "is for hierarchy only")
        return
    if (rule.hierarchy is None) == (rule.classes is None):
        yield Finding(at, "needs one of `hierarchy` and `classes`")
    if rule.hierarchy is not None and rule.hierarchy not in hierarchies():
        yield Finding((*at, "hierarchy"), f"`{rule.hierarchy}` is none of {', '.join(hierarchies())}")
    taken: dict[tuple[str, str], str] = {}
    for name, entries in (rule.classes or {}).items():
        here = (*at, "classes", name)
        if not entries:
            yield Finding(here, "has no code")
        for entry in entries:
            try:
                span = bounds(entry)
            except ValueError:
                yield Finding(here, f"`{entry}` is no beginning of codes, nor a range of two of one length")
                continue
            other = next((c for s, c in taken.items() if c != name and _crosses(span, s)), None)
            if other is not None:
                yield Finding(here, f"`{entry}` overlaps class `{other}` without lying within it")
            taken.setdefault(span, name)


def _crosses(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two entries of one length share codes, so that neither is the more exact."""
    return len(one[0]) == len(other[0]) and one[0] <= other[1] and other[0] <= one[1]
