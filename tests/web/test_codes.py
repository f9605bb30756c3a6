"""Every code that the API may tell has words in both languages."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from tests.web.wording import words

from atoll import flows
from atoll.flows import prove_isolation
from atoll.model.key_change import KeyAct
from atoll.workspaces.lifecycle import STEPS

ATOLL = Path(__file__).parents[2] / "src" / "atoll"
FLOWS = [ast.parse(file.read_text()) for file in (ATOLL / "flows").rglob("*.py")]
WIRING = [ast.parse(file.read_text()) for file in (ATOLL / "wiring").rglob("*.py")]


def calls(trees, *names):
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
            yield node


def words_of(node):
    """Constants within an expression."""
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def actions():
    """As events are written, here or by a helper; a name of a file looks alike."""
    every = {word for tree in FLOWS for word in words_of(tree) if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", word)}
    airlock = {
        f"airlock.{call.args[3].value}"
        for call in calls(FLOWS, "write", "_write")
        if len(call.args) > 3 and isinstance(call.args[3], ast.Constant) and "." not in str(call.args[3].value)
    }
    return {word for word in every if not word.endswith(".json")} | airlock | {f"key.{act}" for act in KeyAct}


def duties():
    named = {word for call in calls(WIRING, "Reconciler") for word in words_of(call.args[0])}
    tables = {
        key.value
        for tree in WIRING
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(value, ast.Call) and getattr(value.func, "id", "") == "partial"
    }
    return named | tables


def facts():
    """What stands beside the sentence of a log line; sentences of a set take values by the same word."""
    every = [ast.parse(file.read_text()) for file in ATOLL.rglob("*.py")]
    lines = (
        call
        for call in calls(every, "say")
        if getattr(getattr(call.func, "value", None), "id", "") not in ("WISH", "IDLE")
    )
    return {keyword.arg for call in lines for keyword in call.keywords if keyword.arg}


MODULES = [import_module(f"atoll.flows.{found.name}") for found in iter_modules(flows.__path__)]
KNOWN = {
    "story": {module.STORY for module in MODULES if hasattr(module, "STORY")}
    | {task.value for task in STEPS}
    | {prove_isolation.PROVE, prove_isolation.PROVE_FRESH},
    "step": {step for module in MODULES if isinstance(getattr(module, "STEPS", None), tuple) for step in module.STEPS}
    | {*prove_isolation.PROVE_STEPS, *prove_isolation.PROVE_FRESH_STEPS, "check", "place", "run"}
    | {step for steps in STEPS.values() for step in steps},
    "duty": duties(),
    "action": actions(),
    "fact": facts(),
}
#: Told in words of their own, never as a badge.
UNSHOWN = {"RiskState"}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("kind", KNOWN)
def test_every_code_has_words(language, kind):
    told = {key.removeprefix(f"{kind}.") for key in words(language)["codes"]}
    # `person.erase.fail` is told at `person.erase_fail`, beside `person.erase`.
    known = {re.sub(r"(?<=\.)(.+)", lambda rest: rest[0].replace(".", "_"), code) for code in KNOWN[kind]}
    assert len(known) > 10
    assert sorted(known - told) == []


def test_every_state_has_a_tone_and_words():
    states = {
        node.value.value
        for file in (ATOLL / "model").glob("*.py")
        for cls in ast.walk(ast.parse(file.read_text()))
        if isinstance(cls, ast.ClassDef) and cls.name.endswith("State") and cls.name not in UNSHOWN
        for node in cls.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    told = {key.removeprefix("state.") for key in words("en")["common"]}
    assert len(states) > 20
    assert sorted(states - told) == []
