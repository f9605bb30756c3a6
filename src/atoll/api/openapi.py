"""The OpenAPI description as a text that is the same on every run."""

from __future__ import annotations

import json

from fastapi import FastAPI


def openapi_json(app: FastAPI) -> str:
    """The description, keys sorted, two blanks indented, ending in a line break."""
    return json.dumps(app.openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
