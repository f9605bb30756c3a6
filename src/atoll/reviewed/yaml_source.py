"""YAML with line numbers, read without surprises.

Scalars follow the YAML 1.2 core schema: `no`, `on`, `2012-11-01` and `12:30` are text,
as a reviewer reads them. A number with a leading zero is text too, because a code
written as 01 is not the number 1. A key written twice is a finding, not a choice.
"""

from __future__ import annotations

import re

import yaml

from atoll.errors import TextInvalid

Path = tuple[str | int, ...]

_TAGS = (
    ("tag:yaml.org,2002:null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", list("tf")),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", list("-+0123456789")),
)


class _Loader(yaml.SafeLoader):
    """Resolves scalars by the core schema only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _regex, _first in _TAGS:
    _Loader.add_implicit_resolver(_tag, re.compile(_regex), _first)


class YamlSource:
    """A YAML text as plain values, and the line where each stands."""

    def __init__(self, text: str, *, noun: str, first_key: str, error: type[TextInvalid]) -> None:
        """Raises `error`, which names the `noun`, when the text is not YAML, or not a mapping."""
        self.duplicates: list[str] = []
        self._lines: dict[Path, int] = {}
        try:
            self.value = self._read(text)
        except (yaml.YAMLError, ValueError, RecursionError) as problem:
            raise error(
                f"The {noun} is not readable YAML.",
                findings=(_problem(problem),),
                todo="Mend the text and check again.",
            ) from None
        if not isinstance(self.value, dict):
            raise error(
                f"The {noun} is not a YAML mapping.",
                findings=(f"line 1: a {noun} is a mapping that starts with `{first_key}:`",),
                todo=f"See the {noun} reference.",
            )

    def _read(self, text: str) -> object:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            self._walk(loader, root, ())
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()

    def line(self, path: Path) -> int:
        """Line (from 1) of the deepest part of `path` that is in the text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def has(self, path: Path) -> bool:
        """Whether the text has a value at `path`."""
        return path in self._lines

    def _walk(self, loader: _Loader, node: yaml.Node | None, path: Path) -> None:
        if node is None:
            return
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(loader, item, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            self._walk_mapping(loader, node, path)

    def _walk_mapping(self, loader: _Loader, node: yaml.MappingNode, path: Path) -> None:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.duplicates.append(f"line {line}: a key must be plain text")
                continue
            key = str(key_node.value)
            if key in seen:
                self.duplicates.append(f"line {line}: `{key}` stands twice in the same mapping")
                continue
            seen.add(key)
            self._lines[(*path, key)] = line
            self._walk(loader, value_node, (*path, key))


def _problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "the text cannot be read"
    return f"line {mark.line + 1 if mark is not None else 1}: {problem}"
