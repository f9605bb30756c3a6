"""One table from domain error to HTTP, and one shape for every error answer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from atoll import errors
from atoll.api import language
from atoll.api.language import speech
from atoll.api.request_id import REQUEST_ID
from atoll.api.schemas.errors import ErrorAnswer
from atoll.api.speaking import sentences_of

_SENTENCES = sentences_of(TypeAdapter(ErrorAnswer))

#: The nearest class in the tree counts.
STATUS: Mapping[type[errors.AtollError], int] = MappingProxyType(
    {
        errors.AtollError: 500,
        errors.InvalidInput: 422,
        errors.NotAuthenticated: 401,
        errors.NotPermitted: 403,
        errors.NotFound: 404,
        errors.Conflict: 409,
        errors.LimitExceeded: 413,
        errors.TooManyAttempts: 429,
        errors.DeliveryRefused: 422,
        errors.IntegrityBroken: 500,
        errors.Unavailable: 503,
    }
)

#: What the framework refuses by itself.
_FRAMEWORK: Mapping[int, tuple[str, str, str]] = MappingProxyType(
    {
        400: ("bad_request", "The request cannot be read.", "Send valid JSON with its content type."),
        404: ("not_found", "There is no such address.", "The addresses are in /api/v1/openapi.json."),
        405: ("method_not_allowed", "The address does not take this method.", "See /api/v1/openapi.json."),
        413: ("limit_exceeded", "The request is too large.", "Send less at once."),
    }
)

#: Messages of the validation that are made of the rule alone, never of the value.
_TELLING = frozenset(
    {
        "missing",
        "string_type",
        "string_too_short",
        "string_too_long",
        "string_pattern_mismatch",
        "int_type",
        "int_parsing",
        "bool_type",
        "bool_parsing",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "enum",
        "literal_error",
        "list_type",
        "tuple_type",
        "set_type",
        "frozen_set_type",
        "too_short",
        "too_long",
        "dict_type",
        "model_type",
        "model_attributes_type",
        "timezone_aware",
    }
)


def status_of(error: errors.AtollError) -> int:
    """The HTTP status of the error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def answer(error: errors.AtollError) -> JSONResponse:
    """The error as an HTTP answer."""
    headers: dict[str, str] = {}
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.TooManyAttempts):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, errors.Unavailable):
        headers["Retry-After"] = "5"
    findings = error.findings if isinstance(error, errors.TextInvalid) else ()
    return _answer(
        status_of(error), error.code, error.what, where=error.where, todo=error.todo, findings=findings, headers=headers
    )


def unexpected() -> JSONResponse:
    """The answer to an error that nobody foresaw: nothing of it is told."""
    return _answer(
        500,
        "internal",
        "Something went wrong here.",
        todo="Try again; if it stays, give the request id to an operator.",
    )


def install(app: FastAPI) -> None:
    """Have the app answer every error in the one shape."""

    async def domain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, errors.AtollError)
        return answer(error)

    async def validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        findings = tuple(_finding(item) for item in error.errors())
        return _answer(
            422,
            "invalid_input",
            "The request does not have the form that this address takes.",
            findings=findings,
            todo="Mend what the findings name.",
        )

    async def framework(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code, message, todo = _FRAMEWORK.get(error.status_code, ("error", "The request was refused.", ""))
        return _answer(error.status_code, code, message, todo=todo, headers=dict(error.headers or {}))

    app.add_exception_handler(errors.AtollError, domain)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, framework)


def _finding(item: Mapping[str, Any]) -> str:
    """Place and rule. The value is never told, nor a key that the caller made up."""
    place = list(item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{_path(place[:-1])}: a field that this address does not take."
    if item["type"] == "json_invalid":
        return f"body, character {place[-1]}: not valid JSON."
    said = item["msg"] if item["type"] in _TELLING else f"not valid ({item['type']})"
    return f"{_path(place)}: {said}."


def _path(place: list[Any]) -> str:
    return ".".join(str(part) for part in place)


def _answer(
    status: int,
    code: str,
    message: str,
    *,
    where: str = "",
    todo: str = "",
    findings: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = ErrorAnswer(
        code=code, message=message, where=where, todo=todo, findings=findings, request_id=REQUEST_ID.get()
    )
    told, say = body.model_dump(mode="json"), speech()
    if say is not None and _SENTENCES is not None:
        told = _SENTENCES(told, say)
    return JSONResponse(told, status_code=status, headers={**language.headers(), **(headers or {})})
