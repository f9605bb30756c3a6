"""People, projects and sources found by the names that people use for them."""

from __future__ import annotations

from atoll.access.permissions import not_found
from atoll.model.person import Person, Project, Source
from atoll.ports.records import RecordStore


def person_by_login(records: RecordStore, login: str) -> Person:
    """The person. Raises `NotFound`."""
    found = records.find(Person, where={"login": login}, limit=1).records
    if not found:
        raise not_found("person", login)
    return found[0]


def project_by_name(records: RecordStore, name: str) -> Project:
    """The project. Raises `NotFound`."""
    found = records.find(Project, where={"name": name}, limit=1).records
    if not found:
        raise not_found("project", name)
    return found[0]


def source_by_name(records: RecordStore, name: str) -> Source:
    """The source. Raises `NotFound`."""
    found = records.find(Source, where={"name": name}, limit=1).records
    if not found:
        raise not_found("source", name)
    return found[0]
