"""Groups of a directory or identity provider, and what each gives: a text that people review."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from atoll.errors import InvalidInput, TextInvalid
from atoll.model.person import NAME, Role
from atoll.model.record import Frozen
from atoll.reviewed import Finding, TextKind, read_text


class GroupRule(Frozen):
    """What one group gives."""

    #: Its full name in a directory, or the word in the claim of an identity provider.
    group: str = Field(min_length=1)
    roles: frozenset[Role] = frozenset()
    #: Projects that its people are members of.
    projects: tuple[str, ...] = ()
    #: Projects that its people lead.
    leads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rights:
    """What all groups of a person give together.

    Attributes:
        projects: by name, whether the person leads it.
    """

    roles: frozenset[Role]
    projects: Mapping[str, bool]

    @property
    def any(self) -> bool:
        """Whether they give anything at all."""
        return bool(self.roles or self.projects)


class GroupMap(Frozen):
    """Every group that gives something; all others give nothing."""

    groups: tuple[GroupRule, ...] = ()

    def rights(self, groups: Iterable[str]) -> Rights:
        """What these groups give."""
        held = {compared(group) for group in groups}
        rules = [rule for rule in self.groups if compared(rule.group) in held]
        projects = {name: False for rule in rules for name in rule.projects}
        projects |= {name: True for rule in rules for name in rule.leads}
        return Rights(frozenset().union(*(rule.roles for rule in rules)), projects)


NO_GROUPS = GroupMap()


def compared(group: str) -> str:
    """A group's name as it is compared: small letters, no blanks around commas (RFC 4514)."""
    return ",".join(part.strip() for part in group.split(",")).casefold()


def parse_group_map(text: str) -> GroupMap:
    """The map that `text` (YAML) states. Raises `TextInvalid` with every finding."""
    return read_text(
        text, TextKind(noun="group map", first_key="groups", model=GroupMap, error=TextInvalid, rules=_findings)
    )


def load_group_map(path: Path | None) -> GroupMap:
    """The map of the file; none gives nothing to anybody. Raises `InvalidInput`, `TextInvalid`."""
    if path is None:
        return NO_GROUPS
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"The group map cannot be read: {type(error).__name__}.",
            where=str(path),
            todo="Mend ATOLL_GROUP_MAP or the file, and start again.",
        ) from None
    return parse_group_map(text)


def _findings(stated: GroupMap) -> Sequence[Finding]:
    seen: set[str] = set()
    found = []
    for index, rule in enumerate(stated.groups):
        here = ("groups", index)
        if compared(rule.group) in seen:
            found.append(Finding((*here, "group"), "stands twice"))
        seen.add(compared(rule.group))
        if not (rule.roles or rule.projects or rule.leads):
            found.append(Finding(here, "gives neither roles nor projects"))
        for key, names in (("projects", rule.projects), ("leads", rule.leads)):
            found += [
                Finding((*here, key), f"names {name}, which is no name of a project")
                for name in names
                if not re.match(NAME, name)
            ]
    return found
