from __future__ import annotations

from datetime import UTC, datetime

import pytest

from atoll.access import permissions
from atoll.errors import NotFound, NotPermitted
from atoll.model.delivery import Delivery, ManifestFile
from atoll.model.grant import Grant
from atoll.model.person import ApiToken, Caller, Project, Role, Source, SubjectKind

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FILE = ManifestFile(name="a.csv", size_bytes=1, sha256="0" * 64)


def person(*roles, id="per_1"):
    return Caller(subject_kind=SubjectKind.PERSON, subject_id=id, name="ada", roles=frozenset(roles))


def source(id="src_1", name="lab"):
    return Caller(subject_kind=SubjectKind.SOURCE, subject_id=id, name=name)


def project(*members):
    return Project(id="prj_1", name="heart", title="Heart", members=frozenset(members), created_at=NOW)


def delivery(by="lab"):
    return Delivery(id="dlv_1", manifest_id="m", source=by, dataset="trial", files=(FILE,), opened_by=by, opened_at=NOW)


def lab(**changes):
    fields = {"id": "src_1", "name": "lab", "title": "Lab", "datasets": frozenset({"trial"}), "created_at": NOW}
    return Source(**{**fields, **changes})


GRANT = Grant(id="grt_1", project="heart", dataset="trial", reason="r", granted_by="x", granted_at=NOW)


def test_a_source_with_the_id_of_a_member_is_no_member():
    assert not permissions.is_member(source(id="per_1"), project("per_1"))


def test_members_query_and_nobody_else():
    permissions.query_under(person(Role.SCIENTIST), project("per_1"))
    with pytest.raises(NotFound):
        permissions.query_under(person(Role.SCIENTIST), project("per_2"))
    for role in (Role.ADMIN, Role.STEWARD, Role.AUDITOR):
        with pytest.raises(NotPermitted):
            permissions.query_under(person(role), project("per_1"))


def test_projects_are_seen_by_members_and_by_those_who_see_all():
    permissions.see_project(person(Role.SCIENTIST), project("per_1"))
    permissions.see_project(person(Role.STEWARD), project())
    with pytest.raises(NotFound):
        permissions.see_project(person(Role.SCIENTIST), project())
    with pytest.raises(NotFound):
        permissions.see_project(person(Role.AUDITOR), project("per_1"))


def test_grants_of_another_project_are_not_found():
    permissions.see_grant(person(Role.SCIENTIST), GRANT, project("per_1"))
    permissions.see_grant(person(Role.AUDITOR), GRANT, project())
    with pytest.raises(NotFound, match="no such grant"):
        permissions.see_grant(person(Role.SCIENTIST), GRANT, project())


def test_stewards_give_to_projects_of_others_only():
    permissions.give_grant(person(Role.STEWARD), project("per_2"))
    with pytest.raises(NotPermitted, match="somebody else"):
        permissions.give_grant(person(Role.STEWARD), project("per_1"))
    # Further roles make no difference.
    with pytest.raises(NotPermitted):
        permissions.give_grant(person(*Role), project("per_1"))


def test_a_source_delivers_as_itself_to_its_datasets():
    permissions.deliver_for(source(), lab(), "trial")
    permissions.deliver_for(person(Role.STEWARD), lab(), "trial")
    with pytest.raises(NotFound):
        permissions.deliver_for(source(id="src_2", name="other"), lab(), "trial")
    with pytest.raises(NotPermitted):
        permissions.deliver_for(source(), lab(), "synthea")
    with pytest.raises(NotPermitted):
        permissions.deliver_for(source(), lab(active=False), "trial")
    with pytest.raises(NotPermitted):
        permissions.deliver_for(person(Role.SCIENTIST), lab(), "trial")


@pytest.mark.parametrize("check", [permissions.see_delivery, permissions.see_quarantine, permissions.change_delivery])
def test_a_source_sees_and_changes_its_own_deliveries_only(check):
    check(source(), delivery("lab"))
    check(person(Role.STEWARD), delivery("lab"))
    with pytest.raises(NotFound):
        check(source(), delivery("other"))
    with pytest.raises((NotFound, NotPermitted)):
        check(person(Role.SCIENTIST), delivery("lab"))


def test_a_person_named_like_the_source_sees_nothing_by_that():
    caller = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_1", name="lab", roles=frozenset())
    with pytest.raises(NotFound):
        permissions.see_delivery(caller, delivery("lab"))


def test_tokens_are_managed_by_their_person_and_by_admins():
    token = ApiToken(
        id="tok_1",
        token_hash="0",
        subject_kind=SubjectKind.PERSON,
        subject_id="per_1",
        label="x",
        created_at=NOW,
        expires_at=NOW,
    )
    permissions.manage_token(person(), token)
    permissions.manage_token(person(Role.ADMIN, id="per_9"), token)
    with pytest.raises(NotFound):
        permissions.manage_token(person(id="per_2"), token)
    with pytest.raises(NotFound):
        permissions.manage_token(source(id="per_1"), token)
