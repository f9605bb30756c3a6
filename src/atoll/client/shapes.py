"""From the JSON of an answer to the value of `atoll.model` that it tells whole."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from atoll.errors import AtollError

M = TypeVar("M", bound=BaseModel)


def shaped(kind: type[M], body: object) -> M:
    """The value. Raises `AtollError` when the server tells it in a shape that is not known here."""
    try:
        return kind.model_validate(body)
    except ValidationError:
        raise AtollError(
            f"The server tells a {kind.__name__} in a shape that this client does not know.",
            todo="Give client and server the same version of Atoll.",
        ) from None
