"""openapi.json and docs/reference/api.md"""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from atoll.api import create_app
from atoll.api.openapi import openapi_json
from atoll.settings import Settings
from atoll.wiring import platform
from reference.markdown import code, page, table

_METHODS = ("get", "post", "put", "patch", "delete")


@cache
def openapi_text() -> str:
    """The API as OpenAPI: of a platform built for that in a home of its own."""
    mask = os.umask(0o077)
    os.umask(mask)
    with tempfile.TemporaryDirectory() as home:
        rooms = platform.build(Settings(home=Path(home)))
        try:
            return openapi_json(create_app(rooms))
        finally:
            platform.close(rooms)
            # A platform keeps its files to itself; those of the reference are for all.
            os.umask(mask)


def api_page() -> str:
    """Every operation of the API with the scope it asks for."""
    rows = []
    for path, item in sorted(json.loads(openapi_text())["paths"].items()):
        for method in _METHODS:
            if method in item:
                rows.append(_row(method, path, item[method]))
    return page(
        "HTTP API",
        "Requests carry `Authorization: Bearer TOKEN`. Bodies are JSON but for uploads and query results. Lists answer "
        '`{"items": [...], "cursor": ...}`; a cursor that is not null asks for the rest by `?cursor=`. Refusals '
        "are told in [errors](errors.md), scopes in [scopes and roles](scopes.md). The whole, for programs, is "
        "[openapi.json](../../openapi.json); a running platform serves the same.",
        table(("request", "operation", "scope", "what it does"), rows),
    )


def _row(method: str, path: str, operation: dict[str, Any]) -> tuple[str, str, str, str]:
    return (
        code(f"{method.upper()} {path}"),
        code(operation["operationId"]),
        code(operation.get("x-scope", "")),
        operation.get("description", "").split("\n\n", maxsplit=1)[0],
    )
