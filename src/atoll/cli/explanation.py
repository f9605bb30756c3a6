"""What a contract does, for reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from atoll.cli.output import print_heading, print_result, show_many
from atoll.errors import NotFound


def print_explanation(explanation: Mapping[str, Any], *, table: str | None, plan: bool) -> None:
    """Each table and column: what it is called in the lake, what is done, and why.

    Raises `NotFound` when `table` is given and the contract has none of that name.
    """
    tables = [told for told in explanation["tables"] if table in (None, told["table"])]
    if not tables:
        known = ", ".join(told["table"] for told in explanation["tables"])
        raise NotFound("The contract has no such table.", where=str(table), todo=f"It has {known}.")
    print_heading(f"{explanation['dataset']}: {explanation['title']}")
    for name, domain in explanation["domains"].items():
        print_result(Text(f"domain {name}: {domain}"))
    for told in tables:
        _print_table(told, plan=plan)


def print_comparison(comparison: Mapping[str, Any]) -> None:
    """What a contract does otherwise than the one before, in words and then line by line."""
    show_many("contract_change", comparison["changes"], as_json=False)
    for line in comparison["lines"].splitlines():
        print_result(Text(line, style={"+": "green", "-": "red"}.get(line[:1], "")))


def _print_table(told: Mapping[str, Any], *, plan: bool) -> None:
    print_heading(f"\n{told['table']}: {', '.join(told['files'])} ({told['format']})")
    if told["description"]:
        print_result(Text(told["description"]))
    show_many("explained_column", told["columns"], as_json=False)
    print_result(Text(f"Otherwise: {told['otherwise']}"))
    if plan:
        print_result(Text(f"\n{told['plan']}"))
