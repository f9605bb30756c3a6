"""docs/reference/errors.md"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from atoll import errors
from atoll.api.errors import status_of
from atoll.errors import AtollError
from reference.markdown import code, page, table


def errors_page() -> str:
    """The tree of errors, and each with its code and what it means."""
    tree = (errors.__doc__ or "").split("\n\n")[1]
    rows = [
        (code(kind.code), kind.__name__, str(status_of(kind.__new__(kind))), _first_paragraph(kind))
        for kind in _below(AtollError)
    ]
    return page(
        "Errors",
        "An error says what happened, where, and what to do next, and never shows an identified value. By HTTP its "
        "body is `{code, message, where, todo, findings, request_id}`; on the command line it ends with an "
        "[exit code](exit-codes.md). Programs go by `code`: it stays what it is.",
        f"```text\n{tree}\n```",
        table(("code", "error", "HTTP", "meaning"), rows),
    )


def _below(kind: type[AtollError]) -> Iterator[type[AtollError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _below(child)


def _first_paragraph(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n", maxsplit=1)[0]
