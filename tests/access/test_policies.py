from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atoll.access import grants, policies
from atoll.errors import AlreadyExists, Conflict, InvalidInput, NotPermitted
from atoll.model.dataset import DatasetVersion, TableState
from atoll.model.grant import Grant, TableGrant
from atoll.model.person import Caller, Person, Role, SubjectKind
from atoll.model.table import Column, ColumnType
from atoll.ports.records import Put

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def grant(id="grt_1", **fields):
    return Grant(
        **{
            "id": id,
            "project": "heart",
            "dataset": "trial",
            "reason": "r",
            "granted_by": "x",
            "granted_at": NOW,
            **fields,
        }
    )


VERSION = DatasetVersion(
    id="trial@1",
    dataset="trial",
    number=1,
    delivery="dlv_1",
    contract="trial@1",
    committed_at=NOW,
    rows_added=1,
    bytes_added=1,
    tables=(
        TableState(
            table="visits",
            snapshot_id=1,
            rows=1,
            size_bytes=1,
            files=1,
            columns=(Column(name="age", type=ColumnType.INTEGER), Column(name="code", type=ColumnType.STRING)),
        ),
    ),
)


def test_a_second_grant_waits_for_the_end_of_the_first():
    policies.add_grant(None, NOW, None)
    policies.add_grant(grant(expires_at=NOW), NOW, NOW + DAY)
    with pytest.raises(Conflict):
        policies.add_grant(grant(), NOW, None)
    with pytest.raises(Conflict):
        policies.add_grant(grant(expires_at=NOW + DAY), NOW, None)
    with pytest.raises(InvalidInput):
        policies.add_grant(None, NOW, NOW)


def test_an_expired_grant_is_closed_in_the_write_that_adds_the_next(records):
    old = records.put(grant(expires_at=NOW + DAY))
    new = grant("grt_2", granted_at=NOW + 2 * DAY)
    with pytest.raises(AlreadyExists):
        records.transact([Put(new)])
    records.transact(grants.replacement(old, new))
    assert records.get(Grant, "grt_1").revoked_at == NOW + 2 * DAY
    assert grants.standing(records, "heart", "trial").id == "grt_2"
    assert [g.id for g in grants.in_force(records, "heart", NOW + 3 * DAY)] == ["grt_2"]


def test_only_what_holds_is_in_force(records):
    records.put(grant("grt_a", dataset="a", expires_at=NOW + DAY))
    records.put(grant("grt_b", dataset="b"))
    records.put(grant("grt_c", dataset="c", revoked_at=NOW))
    records.put(grant("grt_d", dataset="d", project="lung"))
    assert [g.dataset for g in grants.in_force(records, "heart", NOW)] == ["a", "b"]
    assert [g.dataset for g in grants.in_force(records, "heart", NOW + DAY)] == ["b"]


@pytest.mark.parametrize(
    ("tables", "error"),
    [
        ((TableGrant(table="nothing"),), InvalidInput),
        ((TableGrant(table="visits"), TableGrant(table="visits")), InvalidInput),
        ((TableGrant(table="visits", columns=("name",)),), InvalidInput),
        ((TableGrant(table="visits", columns=("age", "age")),), InvalidInput),
        ((TableGrant(table="visits", columns=()),), InvalidInput),
        ((), InvalidInput),
    ],
)
def test_a_grant_names_what_is_there(tables, error):
    with pytest.raises(error):
        policies.granted_tables_exist(tables, VERSION)
    with pytest.raises(Conflict):
        policies.granted_tables_exist(tables, None)


def test_a_grant_of_some_columns_is_taken():
    policies.granted_tables_exist((TableGrant(table="visits", columns=("code",)),), VERSION)
    policies.granted_tables_exist((TableGrant(table="visits"),), VERSION)


def test_nobody_changes_their_own_roles():
    ada = Person(id="per_1", login="ada", display_name="A", roles=frozenset({Role.ADMIN}), created_at=NOW)
    herself = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_1", name="ada")
    other = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_2", name="bob")
    policies.change_person(herself, ada, ada.roles, True)
    policies.change_person(other, ada, frozenset(), False)
    for roles, active in ((frozenset(Role), True), (frozenset(), True), (ada.roles, False)):
        with pytest.raises(NotPermitted):
            policies.change_person(herself, ada, roles, active)


def test_tokens_end_within_a_year():
    policies.token_lifetime(NOW, NOW + 366 * DAY)
    for ends in (NOW, NOW - DAY, NOW + 367 * DAY):
        with pytest.raises(InvalidInput):
            policies.token_lifetime(NOW, ends)
