"""Sentences that the platform says, marked as such where an answer has them.

They are English in code, on record and in the audit. A field declared as `Sentence` is the one place where another
language comes in: whoever writes an answer for a person hands `say` to the serialization, and records, which are
written without it, keep what was said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, SerializationInfo

Say = Callable[[str], str]

#: Keys of a log line whose values are sentences; the others are facts.
SENTENCES_OF_A_LINE = ("message", "error", "detail", "reason")


def spoken(say: Say | None) -> Mapping[str, Say] | None:
    """The context of a serialization that says sentences by `say`."""
    return None if say is None else {"say": say}


def _say_of(info: SerializationInfo) -> Say | None:
    context = info.context
    return context.get("say") if isinstance(context, Mapping) else None


def _sentence(text: str, info: SerializationInfo) -> str:
    say = _say_of(info)
    return text if say is None else say(text)


def _line(body: dict[str, Any], info: SerializationInfo) -> dict[str, Any]:
    say = _say_of(info)
    if say is None:
        return body
    told = {key: say(text) for key in SENTENCES_OF_A_LINE if isinstance(text := body.get(key), str)}
    return {**body, **told}


def _form(schema: dict[str, Any], info: SerializationInfo) -> dict[str, Any]:
    say = _say_of(info)
    return schema if say is None else _worded(schema, say)


def _worded(schema: dict[str, Any], say: Say) -> dict[str, Any]:
    return {
        key: say(value)
        if key in ("title", "description") and isinstance(value, str)
        else _worded(value, say)
        if isinstance(value, dict)
        else value
        for key, value in schema.items()
    }


#: A text of the platform's own, told in the reader's language. Texts that people write are plain `str`, but where
#: one field has the one or the other: what no template fits is told as it is.
Sentence = Annotated[
    str,
    PlainSerializer(_sentence, return_type=str, when_used="json"),
    Field(json_schema_extra={"x-sentence": True}),
]

#: The JSON Schema of a form, whose titles and descriptions are shown.
FormSchema = Annotated[
    dict[str, Any],
    PlainSerializer(_form, return_type=dict[str, Any], when_used="json"),
    Field(json_schema_extra={"x-sentence": True}),
]

#: What a line of a log holds: `SENTENCES_OF_A_LINE` and facts.
LineBody = Annotated[
    dict[str, Any],
    PlainSerializer(_line, return_type=dict[str, Any], when_used="json"),
    Field(json_schema_extra={"x-sentence": True}),
]
