"""Sentences of an answer said in another language: where they stand is known from the answer's schema."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from atoll.model.said import SENTENCE, SENTENCES

Say = Callable[[str], str]
#: Gives a value with its sentences said.
_Told = Callable[[Any, Say], Any]
_DEFINED = "#/$defs/"


def sentences_of(adapter: TypeAdapter[Any]) -> _Told | None:
    """What says the sentences of a value that this adapter has made plain; None when it has none."""
    schema = adapter.json_schema(mode="serialization", by_alias=True)
    plan = _Plan(schema.get("$defs", {}))
    return plan.of(schema) if plan.has(schema, frozenset()) else None


class _Plan:
    """What is done at each place of a schema; places without a sentence below them are not looked at."""

    def __init__(self, defined: Mapping[str, Any]) -> None:
        self._defined = defined
        self._known: dict[str, _Told] = {}

    def has(self, schema: Mapping[str, Any], above: frozenset[str]) -> bool:
        """Whether there is a sentence in it; `above` are the definitions that are being looked at."""
        if SENTENCE in schema or SENTENCES in schema:
            return True
        name = self._name(schema)
        if name is not None:
            return name not in above and self.has(self._defined[name], above | {name})
        return any(self.has(inner, above) for inner in _below(schema))

    def of(self, schema: Mapping[str, Any]) -> _Told | None:
        """What is done to a value of this schema; None when nothing is."""
        if not self.has(schema, frozenset()):
            return None
        if SENTENCE in schema:
            return _sentence
        if SENTENCES in schema:
            return partial(_deep, frozenset(schema[SENTENCES]))
        if (name := self._name(schema)) is not None:
            return partial(self._named, name)
        return self._of_parts(schema)

    def _of_parts(self, schema: Mapping[str, Any]) -> _Told:
        branches = [told for one in schema.get("anyOf", schema.get("oneOf", ())) if (told := self.of(one))]
        if branches:
            return partial(_each, branches)
        items = self.of(schema.get("items") or {})
        return self._object(schema) if items is None else partial(_list, items)

    def _named(self, name: str, value: Any, say: Say) -> Any:  # noqa: ANN401
        """A definition, made when it is first met: they may refer to themselves."""
        if name not in self._known:
            told = self.of(self._defined[name])
            assert told is not None
            self._known[name] = told
        return self._known[name](value, say)

    def _object(self, schema: Mapping[str, Any]) -> _Told:
        fields = {key: done for key, one in schema.get("properties", {}).items() if (done := self.of(one))}
        rest = schema.get("additionalProperties")
        return partial(_fields, fields, self.of(rest) if isinstance(rest, dict) else None)

    def _name(self, schema: Mapping[str, Any]) -> str | None:
        ref = schema.get("$ref")
        return None if ref is None else str(ref).removeprefix(_DEFINED)


def _below(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    below = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("properties", {}).values()]
    below += [one for key in ("items", "additionalProperties") if isinstance(one := schema.get(key), dict)]
    return below


def _sentence(value: Any, say: Say) -> Any:  # noqa: ANN401
    return say(value) if isinstance(value, str) else value


def _list(items: _Told, value: Any, say: Say) -> Any:  # noqa: ANN401
    return [items(one, say) for one in value] if isinstance(value, list) else value


def _fields(fields: Mapping[str, _Told], others: _Told | None, value: Any, say: Say) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        return value
    return {key: one if (do := fields.get(key, others)) is None else do(one, say) for key, one in value.items()}


def _each(branches: list[_Told], value: Any, say: Say) -> Any:  # noqa: ANN401
    """A value of one of several kinds: what is done to those that it is not leaves it as it is."""
    for told in branches:
        value = told(value, say)
    return value


def _deep(keys: Collection[str], value: Any, say: Say) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {
            key: say(one) if key in keys and isinstance(one, str) else _deep(keys, one, say)
            for key, one in value.items()
        }
    return [_deep(keys, one, say) for one in value] if isinstance(value, list) else value
