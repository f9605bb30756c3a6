"""docs/reference/cli.md and exit-codes.md"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer.main

from atoll.cli.exit_codes import MEANINGS, exit_code_of
from atoll.client.problems import BY_CODE
from atoll.errors import AtollError
from atoll.wiring import command_line
from reference.markdown import code, page, table


def commands() -> list[tuple[str, Any]]:
    """Every command that a person can give, by its full name, groups left out."""
    app = command_line()
    return sorted(_below("atoll", typer.main.get_command(app)))


def cli_page() -> str:
    """Every command with arguments, options and help."""
    blocks = [
        "The command line speaks to a platform over HTTP: `ATOLL_URL` says where it answers "
        "(`http://127.0.0.1:8470` if not set), `ATOLL_TOKEN` is the API token to speak with. `--json` prints JSON "
        "and nothing else on standard output. How a command ends is told by its [exit code](exit-codes.md). "
        "`atoll --install-completion` completes commands in your shell.",
        "\n".join(f"- [`{name}`](#{name.replace(' ', '-')})" for name, _ in commands()),
    ]
    for name, command in commands():
        context = command.context_class(command, info_name=name)
        blocks += [f"## {name}", inspect.cleandoc(command.help or ""), code(_usage(command, context))]
        records = [parameter.get_help_record(context) for parameter in command.params]
        rows = [(code(names), meaning) for names, meaning in filter(None, records)]
        if rows:
            blocks.append(table(("argument or option", "meaning"), rows))
    return page("Command line", *blocks)


def exit_codes_page() -> str:
    """Every exit code, and the errors that end by it."""
    causes: dict[int, list[str]] = {}
    for word, kind in BY_CODE.items():
        if kind is not AtollError:
            causes.setdefault(exit_code_of(kind.__new__(kind)), []).append(code(word))
    rows = [(str(int(number)), meaning, ", ".join(causes.get(number, []))) for number, meaning in MEANINGS.items()]
    return page("Exit codes", "What every command ends with.", table(("code", "meaning", "[errors](errors.md)"), rows))


# Typer's own class of a command is private, hence Any.


def _usage(command: Any, context: Any) -> str:  # noqa: ANN401
    return " ".join(str(command.get_usage(context)).removeprefix("Usage:").split())


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if command.hidden:
        return
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, below in children.items():
        yield from _below(f"{name} {child}", below)
