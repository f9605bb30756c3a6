"""The rules of a nested table as one tree, walked along with each row.

The walk goes no deeper than the rules do: below a rule everything is covered, and a
field that no rule names is noted without being entered. So a row nested a thousand
levels deep costs nothing and breaks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from atoll.deid.readers.paths import Every, Step, parse_path, shown_path
from atoll.model.contract import Drop, TableContract


@dataclass
class Node:
    """A place in a row.

    Attributes:
        covered: a rule ends here, so all beneath is named.
        columns: positions of the columns that take the value here.
        fields: nodes by key.
        items: nodes by index, those of `[*]` merged in.
        every: the node of the indexes that have none of their own.
        is_leaf: no rule looks deeper than here; set when the tree is finished.
    """

    covered: bool = False
    columns: list[int] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    items: dict[int, Node] = field(default_factory=dict)
    every: Node | None = None
    is_leaf: bool = False

    def step(self, step: Step) -> Node:
        """The node one step on, made when it is not there."""
        if isinstance(step, str):
            return self.fields.setdefault(step, Node())
        if isinstance(step, Every):
            self.every = self.every or Node()
            return self.every
        return self.items.setdefault(step, Node())


@dataclass
class Found:
    """What the walk over one row found.

    Attributes:
        values: by column; several values of a `[*]` path are joined by `|`.
        unnamed: paths that no rule names.
        nested: paths where a column's value is an object or an array.
        inexact: a number whose text is lost; walk again over exactly parsed numbers.
    """

    values: list[str | None]
    unnamed: list[str] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    inexact: bool = False


@dataclass(frozen=True)
class FieldTree:
    """The rules of a table: `columns` are the keys of the entering ones, in order."""

    root: Node
    columns: tuple[str, ...]

    def walk(self, row: dict[str, object]) -> Found:
        """Collect the values of all columns and whatever no rule covers."""
        found = Found([None] * len(self.columns))
        _walk_fields(self.root, row, False, None, found)
        if found.unnamed or found.nested:
            # Paths cost more than the walk itself, so only rows with a fault pay for them.
            found = Found([None] * len(self.columns))
            _walk_fields(self.root, row, False, (), found)
        return found


def field_tree(table: TableContract, implied: tuple[str, ...] = ()) -> FieldTree:
    """Build the tree of a table's rules; `implied` paths are named without a rule.

    Raises:
        ContractInvalid: a rule's path is no path.
    """
    root, columns = Node(), list[str]()
    for path in implied:
        node = root
        for step in parse_path(path):
            node = node.step(step)
        node.covered = True
    for key, rule in table.columns.items():
        node = root
        for step in parse_path(rule.path or key):
            node = node.step(step)
        node.covered = True
        if not isinstance(rule, Drop):
            node.columns.append(len(columns))
            columns.append(key)
    return FieldTree(_merged(root, None), tuple(columns))


def _merged(node: Node, other: Node | None) -> Node:
    """A copy of `node` with the rules of `other` beside its own, `[*]` put into each index."""
    sides = [node] if other is None else [node, other]
    merged = Node(covered=any(s.covered for s in sides), columns=[c for s in sides for c in s.columns])
    for key in {k: None for s in sides for k in s.fields}:
        merged.fields[key] = _merged_all([s.fields.get(key) for s in sides])
    everywhere = [s.every for s in sides]
    for index in {i: None for s in sides for i in s.items}:
        merged.items[index] = _merged_all([*(s.items.get(index) for s in sides), *everywhere])
    if any(everywhere):
        merged.every = _merged_all(everywhere)
    merged.is_leaf = not (merged.fields or merged.items or merged.every)
    return merged


def _merged_all(nodes: list[Node | None]) -> Node:
    present = [n for n in nodes if n is not None]
    merged = _merged(present[0], None)
    for node in present[1:]:
        merged = _merged(merged, node)
    return merged


_Trail = tuple[str | int, ...] | None


def _further(trail: _Trail, step: str | int) -> _Trail:
    return None if trail is None else (*trail, step)


def _shown(trail: _Trail) -> str:
    return "" if trail is None else shown_path(trail)


def _walk_fields(node: Node, row: dict[str, object], covered: bool, trail: _Trail, found: Found) -> None:
    fields = node.fields
    for key, value in row.items():
        child = fields.get(key)
        if child is not None:
            _walk(child, value, covered, _further(trail, key), found)
        elif not covered:
            found.unnamed.append(_shown(_further(trail, key)))


def _walk(node: Node, value: object, covered: bool, trail: _Trail, found: Found) -> None:
    if node.columns:
        _take(node, value, trail, found)
    covered = covered or node.covered
    if value is None or (covered and node.is_leaf):
        return
    if isinstance(value, dict) and node.fields:
        _walk_fields(node, value, covered, trail, found)
    elif isinstance(value, list) and (node.items or node.every):
        for index, item in enumerate(value):
            child = node.items.get(index, node.every)
            if child is not None:
                _walk(child, item, covered, _further(trail, index), found)
            elif not covered:
                found.unnamed.append(_shown(_further(trail, index)))
    elif not covered:
        found.unnamed.append(_shown(trail))


def _take(node: Node, value: object, trail: _Trail, found: Found) -> None:
    """Put a scalar into its columns, as text."""
    if value is None:
        return
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int):
        text = str(value)
    elif isinstance(value, float):
        found.inexact = True
        return
    else:
        found.nested.append(_shown(trail))
        return
    for column in node.columns:
        before = found.values[column]
        found.values[column] = text if before is None else f"{before}|{text}"
