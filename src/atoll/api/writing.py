"""Answers written as JSON in the thread that made them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from types import NoneType
from typing import Any, ParamSpec, TypeVar, get_type_hints

from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

P = ParamSpec("P")
T = TypeVar("T")


def written_at_once(endpoint: Callable[P, T], options: Mapping[str, Any]) -> Callable[P, T | Response]:
    """The endpoint, giving the JSON that FastAPI would make of its answer.

    FastAPI validates what a function returns in a second thread and writes it on the event
    loop, where every other request waits. Endpoints that set headers, choose a class of
    response or are coroutines are left alone, and what does not fit the declared type goes
    FastAPI's way, which refuses it.
    """
    hints = get_type_hints(endpoint, include_extras=True)
    declared = hints.pop("return", None)
    bodiless = declared in (None, NoneType) or (isinstance(declared, type) and issubclass(declared, Response))
    chosen = "response_model" in options or "response_class" in options
    if inspect.iscoroutinefunction(endpoint) or bodiless or chosen or Response in hints.values():
        return endpoint
    adapter: TypeAdapter[Any] = TypeAdapter(declared)
    status_code = options.get("status_code") or 200

    @wraps(endpoint)
    def written(*args: P.args, **kwargs: P.kwargs) -> T | Response:
        made = endpoint(*args, **kwargs)
        try:
            answer = adapter.validate_python(made, from_attributes=True)
        except ValidationError:
            return made
        return Response(adapter.dump_json(answer, by_alias=True), status_code, media_type="application/json")

    return written
