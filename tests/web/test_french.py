"""In French the API says nothing in English: whatever answers have as a sentence, and pages where much is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.web.english import english, english_on
from tests.web.stage import asking

#: Role, and where it reads what the platform says; `{name}` is of the stage.
READ = (
    ("administrator", "/health"),
    ("administrator", "/scopes"),
    ("administrator", "/settings"),
    ("administrator", "/operations"),
    ("administrator", "/products"),
    ("steward", "/contracts/sdtm/explain"),
    ("steward", "/contract-proposals/{proposal}"),
    ("steward", "/deliveries/{delivery}"),
    ("steward", "/deliveries/{delivery}/quarantine"),
    ("steward", "/datasets/sdtm/description"),
    ("steward", "/datasets/sdtm/risk"),
    ("steward", "/airlock-requests/{airlock returned}"),
    ("scientist", "/airlock-checks"),
    ("scientist", "/airlock-requests/{airlock returned}"),
    ("scientist", "/workspaces"),
    ("scientist", "/workspaces/{machine}/log"),
    ("scientist", "/queries/{refused query}"),
    ("scientist", "/flows/graph?dataset=sdtm"),
    ("auditor", "/audit/verification"),
)


@pytest.fixture(scope="module")
def described():
    return json.loads((Path(__file__).parents[2] / "openapi.json").read_text())


@pytest.mark.parametrize(("who", "path"), READ, ids=[f"{who}{path}" for who, path in READ])
def test_sentences_of_an_answer_are_french(stage, described, who, path):
    names = {"proposal": stage.proposal, "delivery": stage.delivery, "machine": stage.machine, **stage.more}
    with asking(stage, who) as http:
        answer = http.get(path.format(**names), headers={"Accept-Language": "fr"}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-language"] == "fr"
    said = list(sentences(described, schema_of(described, path), answer.json()))
    assert english(said) == []


def schema_of(described, path):
    path = path.partition("?")[0]
    for template, methods in described["paths"].items():
        asked, known = f"/api/v1{path}".split("/"), template.split("/")
        fits = len(asked) == len(known) and all(
            part == name or name.startswith("{") for part, name in zip(asked, known, strict=True)
        )
        if fits and "get" in methods:
            return methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    raise LookupError(path)


def sentences(described, schema, value):
    """What stands in fields that the schema declares to be sentences."""
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("x-sentence") and isinstance(value, str):
        yield value
    if "x-sentences" in schema:
        yield json.dumps(value, ensure_ascii=False)
    for one in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())):
        yield from sentences(described, one, value)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for one in value:
            yield from sentences(described, schema["items"], one)
    if isinstance(value, dict):
        rest = schema.get("additionalProperties")
        for key, one in value.items():
            inner = schema.get("properties", {}).get(key, rest)
            if isinstance(inner, dict):
                yield from sentences(described, inner, one)


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("steward", "/airlock/{airlock review}"),
        ("scientist", "/airlock/{airlock returned}"),
        ("steward", "/contracts/sdtm"),
        ("scientist", "/sql?query={refused query}"),
        ("administrator", "/administration/health"),
        ("administrator", "/administration/settings"),
        ("scientist", "/machines/no_such_machine"),
        ("steward", "/deliveries/no_such_delivery"),
    ],
)
def test_where_much_is_said_no_english_is_left(stage, pages, role, path):
    with pages.open(role, "fr") as watched:
        watched.page.goto(path.format(**stage.more))
        watched.settle()
        assert english_on(watched.page) == []


def test_a_changed_language_is_the_language_of_what_is_there(stage, pages):
    """What the API told before is asked for anew."""
    with pages.open("scientist", "en") as watched:
        watched.page.goto("/machines/no_such_machine")
        watched.settle()
        watched.page.get_by_text("There is no such workspace.").wait_for()
        watched.page.get_by_role("button", name="EN, language: English").click()
        watched.page.get_by_role("menuitemradio", name="Français").click()
        watched.page.get_by_text("Introuvable").wait_for()
