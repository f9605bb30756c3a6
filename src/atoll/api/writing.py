"""Answers written as JSON in the thread that made them, in the language that their reader asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from types import NoneType
from typing import Any, ParamSpec, get_type_hints

import orjson
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from atoll.api.language import headers, speech
from atoll.api.speaking import sentences_of

P = ParamSpec("P")


def written_at_once(endpoint: Callable[P, Any], options: Mapping[str, Any]) -> Callable[P, Any]:
    """The endpoint, giving the JSON that FastAPI would make of its answer, and its sentences as they are to be read.

    FastAPI validates what a function returns in a second thread and writes it on the event
    loop, where every other request waits, and it knows nothing of languages. Endpoints that choose
    a class of response are left alone, and what does not fit the declared type goes FastAPI's way,
    which refuses it.
    """
    hints = get_type_hints(endpoint, include_extras=True)
    declared = hints.pop("return", None)
    bodiless = declared in (None, NoneType) or (isinstance(declared, type) and issubclass(declared, Response))
    if bodiless or "response_model" in options or "response_class" in options:
        return endpoint
    writer = _Writer(
        TypeAdapter(declared),
        options.get("status_code") or 200,
        next((name for name, hint in hints.items() if hint is Response), None),
    )
    if inspect.iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401
            return writer.written(await endpoint(*args, **kwargs), kwargs)

        return awaited

    @wraps(endpoint)
    def written(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401
        return writer.written(endpoint(*args, **kwargs), kwargs)

    return written


@dataclass(frozen=True)
class _Writer:
    """Writes what one endpoint answers."""

    adapter: TypeAdapter[Any]
    status_code: int
    #: The endpoint's parameter by which it sets headers, cookies or another status.
    beside: str | None

    @cached_property
    def sentences(self) -> Callable[[Any, Callable[[str], str]], Any] | None:
        """What says the sentences of the answer; None when it has none."""
        return sentences_of(self.adapter)

    def written(self, made: object, taken: Mapping[str, Any]) -> object:
        """The answer as a response; as it was made when it is not of the declared type."""
        try:
            answer = self.adapter.validate_python(made, from_attributes=True)
        except ValidationError:
            return made
        beside: Response | None = taken[self.beside] if self.beside else None
        status_code = (beside.status_code if beside is not None else None) or self.status_code
        say = speech()
        if say is None or self.sentences is None:
            body = self.adapter.dump_json(answer, by_alias=True)
        else:
            plain = self.adapter.dump_python(answer, mode="json", by_alias=True)
            body = orjson.dumps(self.sentences(plain, say))
        response = Response(body, status_code, headers(), media_type="application/json")
        if beside is not None:
            response.raw_headers.extend(pair for pair in beside.raw_headers if pair[0] != b"content-length")
        return response
