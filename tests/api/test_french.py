"""The API in French: what it says is French for whoever asks for it, and stays English on record."""

from __future__ import annotations

import re

import pytest
from tests.api.conftest import API

from atoll.model.operation import Failure, Operation, Step
from atoll.reviewed.languages import accepted

FRENCH = {"Accept-Language": "fr-FR, fr;q=0.9, en;q=0.5"}
CONTRACT = """\
dataset: trial
title: Trial
description: d
owner: o
tables:
  visits:
    files: []
    format: csv
    columns:
      age: {treat: keep, reason: r, type: integer, min: 9, max: 1}
      name: {treat: pseudonymize, reason: r, domain: nowhere}
"""


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("de, fr;q=0.5", "fr"),
        ("en, fr", "en"),
        ("en;q=0.2, FR;q=0.9", "fr"),
        ("fr;q=0", "en"),
        ("fr;q=much", "en"),
        ("*", "en"),
        (";;,=,q=1", "en"),
    ],
)
def test_the_language_is_the_one_liked_best(header, language):
    assert accepted(header) == language


def test_an_error_is_told_in_the_language_asked_for(site):
    english = site.get("/projects/nowhere", "scientist")
    french = site.send("GET", "/projects/nowhere", "scientist", headers=FRENCH)
    assert (english.status_code, english.headers["content-language"]) == (404, "en")
    assert english.json()["message"] == "There is no such project."
    assert (french.status_code, french.headers["content-language"]) == (404, "fr")
    assert french.headers["vary"] == english.headers["vary"] == "Accept-Language"
    told = french.json()
    assert told["message"] == "Introuvable\u00a0: projet."
    assert told["todo"] == "Vérifiez le nom, ou demandez un accès."
    assert told["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "who", "body", "said"),
    [
        ("GET", "/me", None, None, "La requête n’a ni jeton ni session."),
        ("GET", "/people", "nobody", None, "Il faut pour cela le droit `people:read`."),
        ("GET", "/no/such", "scientist", None, "Il n’y a pas d’adresse de ce nom."),
        ("POST", "/session", None, {"login": "who", "password": "x"}, "L’identifiant ou le mot de passe est faux."),
        ("POST", "/deliveries", "lab", {"source": 4}, "La requête n’a pas la forme que prend cette adresse."),
        ("PUT", "/projects/nowhere/members/x", "admin", {}, "Introuvable\u00a0: personne."),
    ],
)
def test_refusals_of_every_sort_are_french(site, method, path, who, body, said):
    answer = site.send(method, path, who, json=body, headers=FRENCH)
    assert answer.json()["message"] == said, answer.text
    assert not english_in(answer.json())


def test_every_fault_of_a_contract_is_french(site):
    answer = site.send("POST", "/contracts/check", "steward", json={"text": CONTRACT}, headers=FRENCH)
    findings = answer.json()["findings"]
    assert "ligne 7\u00a0: `tables.visits.files` demande au moins un motif de nom de fichier, aucun vide" in findings
    assert not english_in(answer.json())


def test_the_form_of_a_request_is_told_in_french(site):
    answer = site.send("POST", "/people", "admin", json={"login": "", "roles": "x", "more": 1}, headers=FRENCH)
    assert answer.status_code == 422
    assert not english_in(answer.json()), answer.text


def test_what_is_kept_stays_english(site):
    """The same failure is told in two languages, and kept in one."""
    now = site.clock.now()
    message = "The operation did not end before its deadline."
    failed = Operation(
        id="op_french",
        story="admit_delivery",
        subject="delivery/dlv_french",
        steps=(Step(name="verify"),),
        asked_by="steward",
        created_at=now,
        deadline=now,
        failure=Failure(error_code="deadline", transient=False, message=message, step="verify", at=now),
        finished_at=now,
    )
    site.rooms.records.put(failed)
    site.rooms.operations.say("op_french", "Cancellation was asked for.", error="No space left on device", rows=4)
    told = site.send("GET", "/operations/op_french", "admin", headers=FRENCH).json()
    assert told["failure"]["message"] == "L’opération ne s’est pas terminée avant son délai."
    line = site.send("GET", "/operations/op_french/log", "admin", headers=FRENCH).json()["items"][0]["body"]
    assert (line["message"], line["error"], line["rows"]) == (
        "L’annulation a été demandée.",
        "plus de place sur le disque",
        4,
    )
    assert site.get("/operations/op_french", "admin").json()["failure"]["message"] == message
    assert site.rooms.records.get(Operation, "op_french").failure.message == message


def test_what_people_write_is_told_as_they_wrote_it(site):
    """A field is a sentence of the platform's by its declaration, whatever its words are."""
    site.add_project("retold")
    site.send("PUT", "/projects/retold/members/scientist", "admin")
    written = {"name": "Try again.", "description": "There is no such project.", "sql": "SELECT 1"}
    made = site.send("POST", "/saved-queries?project=retold", "scientist", json=written, headers=FRENCH)
    assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["description"]) == (written["name"], written["description"])


def test_settings_and_rights_are_explained_in_french(site):
    for path in ("/settings", "/scopes"):
        items = site.send("GET", path, "admin", headers=FRENCH).json()["items"]
        assert items
        assert not english_in({"items": [one["help"] for one in items]})


def test_which_fields_are_sentences_is_in_the_schema(site):
    described = site.client.get(f"{API}/openapi.json").json()["components"]["schemas"]
    assert described["ErrorAnswer"]["properties"]["message"]["x-sentence"] is True
    assert described["ErrorAnswer"]["properties"]["todo"]["x-sentence"] is True
    assert "x-sentence" not in described["ErrorAnswer"]["properties"]["code"]


_ENGLISH = re.compile(r"\b(the|is|are|was|has|of|and|its|not|with|must|should|been|which|your)\b", re.IGNORECASE)


def english_in(told):
    """Texts of an answer that have an English word, codes and ids aside."""
    if isinstance(told, dict):
        return [one for key, value in told.items() if key not in ("code", "request_id") for one in english_in(value)]
    if isinstance(told, list):
        return [one for value in told for one in english_in(value)]
    return [told] if isinstance(told, str) and _ENGLISH.search(re.sub(r"`[^`]*`", "", told)) else []
