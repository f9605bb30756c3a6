"""Sentences of a closed set are said with every value they need."""

from __future__ import annotations

import pytest

from atoll.workspaces.reasons import IDLE, WISH


def test_a_sentence_is_said_with_its_values():
    assert WISH.say("resized", size="m5.large", who="ana") == "Resized to m5.large by ana."


def test_a_sentence_without_a_value_it_needs_is_not_said():
    with pytest.raises(KeyError):
        IDLE.say("kernel")
