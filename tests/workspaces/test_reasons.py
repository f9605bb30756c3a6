"""Sentences of a closed set: read again as they were said, each by its own code."""

from __future__ import annotations

import pytest

from atoll.workspaces.reasons import IDLE, WISH, said_of

EACH = [(sentences, code) for sentences in (IDLE, WISH) for code in sentences.texts]


@pytest.mark.parametrize(("sentences", "code"), EACH, ids=lambda one: one if isinstance(one, str) else one.kind)
def test_what_is_said_is_read_again(sentences, code):
    values = {name: f"{name} 1, a.b" for name in sentences.places(code)}
    said = said_of(sentences.say(code, **values))
    assert said is not None
    assert (said.kind, said.code, dict(said.values)) == (sentences.kind, code, values)


def test_what_is_of_no_set_has_no_code():
    assert said_of("") is None
    assert said_of("The host was restarted; memory was lost.") is None


def test_a_sentence_without_a_value_it_needs_is_not_said():
    with pytest.raises(KeyError):
        IDLE.say("kernel")
