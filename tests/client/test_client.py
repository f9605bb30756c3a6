"""The client against a whole platform."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.client.live_platform import BAD, CANARY, CONTRACT, GOOD, MIXED, Atoll, running, settle, write

from atoll.client import AtollClient, Progress, Stage
from atoll.client.progress import ignore
from atoll.client.sending import Sender
from atoll.errors import (
    AlreadyExists,
    AtollError,
    Conflict,
    ContractInvalid,
    DeliveryRefused,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    StatementRefused,
    Unavailable,
)
from atoll.model.delivery import ManifestFile
from atoll.model.grant import TableGrant


@pytest.fixture(scope="module")
def delivered(atoll: Atoll, tmp_path_factory: pytest.TempPathFactory) -> Atoll:
    """The platform with one delivery in the lake, granted to the project `heart`."""
    path = write(tmp_path_factory.mktemp("good"), "patients.csv", GOOD)
    with atoll.as_("lab") as lab:
        settled = lab.wait_for_delivery(lab.deliver("lab", "ward", [path])["id"], timeout_seconds=60)
    assert settled["state"] == "committed"
    with atoll.as_("sam") as steward:
        steward.grants.add("heart", "ward", reason="Protocol", tables=[TableGrant(table="patients")])
    return atoll


def test_a_large_file_goes_in_parts_and_on_after_a_broken_line(atoll: Atoll, tmp_path: Path) -> None:
    path = write(tmp_path, "patients-parts.csv", GOOD)
    with atoll.as_("lab") as lab:
        deliveries, append = lab.deliveries, lab.deliveries.append
        sent: list[int] = []

        def over_a_bad_line(delivery_id: str, index: int, part: bytes, offset: int) -> dict[str, object]:
            sent.append(offset)
            if len(sent) == 2:
                raise Unavailable("The connection broke.")
            answer = append(delivery_id, index, part, offset)
            if len(sent) == 4:
                raise Unavailable("The connection broke after the part was taken.")
            return answer

        deliveries.append = over_a_bad_line  # type: ignore[method-assign]
        handed_over = Sender(deliveries, sleep=lambda _: None, part_bytes=50).deliver("lab", "ward", [path], ignore)
        settled = lab.wait_for_delivery(handed_over["id"], timeout_seconds=60)
    assert sent == [0, 50, 50, 100, 150, *range(200, len(GOOD), 50)]
    assert settled["outcome"]["rows_committed"] == 10


def test_signing_in_gives_a_token_that_works(atoll: Atoll) -> None:
    with AtollClient(atoll.url) as nobody:
        token = nobody.accounts.sign_in("sid", "a long enough password")["token"]
        with pytest.raises(NotAuthenticated):
            nobody.accounts.sign_in("sid", "wrong")
        with pytest.raises(NotAuthenticated):
            nobody.accounts.me()
    with AtollClient(atoll.url, token) as sid:
        assert sid.accounts.me()["name"] == "sid"
        assert sid.accounts.me()["roles"] == ["scientist"]


def test_people_tokens_projects_and_sources(atoll: Atoll) -> None:
    with atoll.as_("admin") as admin:
        admin.people.add("tom", "Tom", ["auditor"])
        tom = admin.people.id_of("tom")
        assert admin.people.change(tom, roles=["auditor", "steward"])["roles"] == ["auditor", "steward"]
        made = admin.tokens.create("laptop", login="tom")
        with AtollClient(atoll.url, made["token"]) as as_tom:
            assert as_tom.accounts.me()["name"] == "tom"
            as_tom.tokens.revoke(made["record"]["id"])
            with pytest.raises(NotAuthenticated):
                as_tom.accounts.me()
        assert admin.people.change(tom, active=False)["active"] is False
        assert admin.people.show(tom)["active"] is False
        with pytest.raises(NotFound):
            admin.people.id_of("nobody")
        with pytest.raises(AlreadyExists):
            admin.people.add("tom", "Tom again", [])
        [listed] = admin.tokens.list(login="tom")
        assert listed["revoked_at"] is not None

        admin.projects.add("lung", "Lung study")
        assert admin.projects.add_member("lung", "sid")["members"] == ["sid"]
        assert admin.projects.remove_member("lung", "sid")["members"] == []
        assert "lung" in {p["name"] for p in admin.projects.list()}

        admin.sources.add("clinic", "Clinic", ["ward"])
        assert admin.sources.change("clinic", active=False)["active"] is False
        assert admin.sources.show("clinic")["datasets"] == ["ward"]
        assert {s["name"] for s in admin.sources.list()} >= {"lab", "clinic"}
        assert {s["name"] for s in admin.platform.settings()} >= {"home", "port"}
        assert len(list(admin.platform.scopes())) > 10


def test_contracts(atoll: Atoll) -> None:
    with atoll.as_("sam") as steward:
        assert steward.contracts.check(CONTRACT)["tables"] == ["patients"]
        with pytest.raises(ContractInvalid) as caught:
            steward.contracts.check(CONTRACT.replace("treat: drop", "treat: burn").replace("max: 120", "max: old"))
        assert len(caught.value.findings) == 2
        assert all(finding.startswith("line ") for finding in caught.value.findings)
        assert steward.contracts.show("ward")["text"] == CONTRACT
        assert [c["dataset"] for c in steward.contracts.list()] == ["ward"]
        explained = steward.contracts.explain(CONTRACT)
        assert explained == steward.contracts.explain_published("ward")
        assert [table["table"] for table in explained["tables"]] == ["patients"]
        with pytest.raises(NotFound):
            steward.contracts.show("ward", 99)


def test_a_delivery_goes_through_and_tells_how_far_it_is(delivered: Atoll, tmp_path: Path) -> None:
    path = write(tmp_path, "patients-mixed.csv", MIXED)
    seen: list[Progress] = []
    with delivered.as_("lab") as lab:
        handed_over = lab.deliver("lab", "ward", [path], seen.append)
        settled = lab.wait_for_delivery(handed_over["id"], seen.append, timeout_seconds=60)
        outcome = settled["outcome"]
        assert settled["state"] == "committed"
        assert (outcome["rows_in"], outcome["rows_committed"], outcome["rows_quarantined"]) == (3, 1, 2)
        held = lab.deliveries.quarantine(settled["id"])
    assert [(row.row, row.column, row.masked) for row in held] == [(2, "AGE", "aaa"), (3, "AGE", "999")]
    assert CANARY not in str(held)
    assert {p.stage for p in seen} == {Stage.HASH, Stage.UPLOAD, Stage.ADMIT}
    for stage in (Stage.HASH, Stage.UPLOAD, Stage.ADMIT):
        last = [p for p in seen if p.stage is stage][-1]
        assert last.done == last.total


def test_the_same_files_again_change_nothing(delivered: Atoll, tmp_path: Path) -> None:
    path = write(tmp_path, "patients.csv", GOOD)
    uploads: list[Progress] = []
    with delivered.as_("lab") as lab:
        again = lab.deliver("lab", "ward", [path], uploads.append)
    assert again["state"] == "committed"
    assert Stage.UPLOAD not in {p.stage for p in uploads}
    with delivered.as_("sam") as steward:
        assert len([v for v in steward.datasets.versions("ward") if v["delivery"] == again["id"]]) == 1
        assert [d["name"] for d in steward.datasets.list()] == ["ward"]
        assert steward.datasets.show("ward")["newest"]["tables"][0]["table"] == "patients"


def test_a_broken_delivery_goes_on_with_the_files_that_are_missing(atoll: Atoll, tmp_path: Path) -> None:
    paths = [
        write(tmp_path, f"patients-part{n}.csv", f"ID,NAME,AGE,SEEN\nX-{n},{CANARY},50,2021-01-01\n") for n in (1, 2, 3)
    ]

    class Cut(Exception):
        pass

    def cut_at_the_second_file(progress: Progress) -> None:
        if progress.stage is Stage.UPLOAD and progress.what == "patients-part2.csv":
            raise Cut

    with atoll.as_("lab") as lab:
        with pytest.raises(Cut):
            lab.deliver("lab", "ward", paths, cut_at_the_second_file)
        [broken] = [d for d in lab.deliveries.list(source="lab") if d["state"] == "receiving"]
        assert [f["received"] for f in broken["files"]][0::2] == [True, False]

        sent: set[str] = set()
        resumed = lab.deliver("lab", "ward", paths, lambda p: sent.add(p.what) if p.stage is Stage.UPLOAD else None)
        assert resumed["id"] == broken["id"]
        assert "patients-part1.csv" not in sent
        assert "patients-part3.csv" in sent
        assert lab.wait_for_delivery(resumed["id"], timeout_seconds=60)["state"] == "committed"


def test_what_is_not_what_was_announced_is_refused_and_the_file_is_named(atoll: Atoll, tmp_path: Path) -> None:
    path = write(tmp_path, "patients-changing.csv", GOOD)

    def change_after_hashing(progress: Progress) -> None:
        if progress.stage is Stage.HASH:
            path.write_text(GOOD.replace("P-1,", "P-9,"))

    with atoll.as_("lab") as lab, pytest.raises(DeliveryRefused, match=r"patients-changing\.csv") as caught:
        lab.deliver("lab", "ward", [path], change_after_hashing)
    assert "SHA-256" in str(caught.value)


def test_a_delivery_that_cannot_enter_is_settled_as_rejected(atoll: Atoll, tmp_path: Path) -> None:
    path = write(tmp_path, "patients-bad.csv", BAD)
    with atoll.as_("lab") as lab:
        settled = lab.wait_for_delivery(lab.deliver("lab", "ward", [path])["id"], timeout_seconds=60)
        assert settled["state"] == "rejected"
        assert len(lab.deliveries.quarantine(settled["id"])) == 1


def test_a_source_delivers_for_itself_only(atoll: Atoll, tmp_path: Path) -> None:
    path = write(tmp_path, "patients.csv", GOOD)
    with atoll.as_("lab") as lab:
        for source, dataset in (("other", "ward"), ("lab", "elsewhere")):
            with pytest.raises((NotPermitted, NotFound)):
                lab.deliver(source, dataset, [path])
        with pytest.raises(NotPermitted):
            list(lab.datasets.list())


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with running(tmp_path / "home", workers=False) as idle:
        settle(idle)
        path = write(tmp_path, "patients.csv", GOOD)
        with idle.as_("lab") as lab:
            handed_over = lab.deliver("lab", "ward", [path])
            assert handed_over["state"] == "waiting"
            with pytest.raises(Unavailable, match="not settled"):
                lab.wait_for_delivery(handed_over["id"], timeout_seconds=0.5)


def test_a_file_over_the_limit_of_the_server_is_told(tmp_path: Path) -> None:
    with running(tmp_path / "home", workers=False, upload_max_bytes=100) as small:
        settle(small)
        path = write(tmp_path, "patients.csv", GOOD)
        with small.as_("lab") as lab, pytest.raises((LimitExceeded, InvalidInput), match="100 bytes"):
            lab.deliver("lab", "ward", [path])


def test_sql_comes_in_every_format(delivered: Atoll) -> None:
    statement = "select patient_id, age from ward.patients order by age, patient_id"
    with delivered.as_("sid") as sid:
        table = sid.sql("heart", statement)
        assert table.column_names == ["patient_id", "age"]
        assert table.num_rows >= 10
        out = {format: io.BytesIO() for format in ("json", "csv", "arrow", "parquet")}
        ids = {sid.sql("heart", statement, format, body) for format, body in out.items()}
        assert len(ids) == 4
        assert pa.ipc.open_stream(out["arrow"].getvalue()).read_all().equals(table)
        assert pq.read_table(io.BytesIO(out["parquet"].getvalue())).to_pylist() == table.to_pylist()
        assert out["csv"].getvalue().decode().splitlines()[0].replace('"', "") == "patient_id,age"
        assert table.column("patient_id")[0].as_py() in out["json"].getvalue().decode()
        record = sid.queries.show(ids.pop())
        assert record["stats"]["rows"] == table.num_rows
        assert len(list(sid.queries.list("heart"))) >= 5


def test_sql_that_may_not_be_is_refused_in_its_own_kind(delivered: Atoll) -> None:
    with delivered.as_("sid") as sid:
        with pytest.raises(StatementRefused):
            sid.sql("heart", "drop table ward.patients")
        with pytest.raises(StatementRefused):
            sid.sql("heart", "select * from ward.secrets")
        with pytest.raises(AtollError):
            sid.sql("lung", "select 1")
    with delivered.as_("ann") as auditor, pytest.raises(NotPermitted):
        auditor.sql("heart", "select 1")


def test_a_result_that_breaks_off_is_an_error_with_the_reason(tmp_path: Path) -> None:
    """A result over the limit is found while it streams: half of it is never taken for the whole."""
    with running(tmp_path / "home", query_max_rows=100_000) as limited:
        settle(limited)
        path = write(tmp_path, "patients.csv", GOOD)
        with limited.as_("lab") as lab:
            lab.wait_for_delivery(lab.deliver("lab", "ward", [path])["id"], timeout_seconds=60)
        with limited.as_("sam") as steward:
            steward.grants.add("heart", "ward", reason="Protocol")
        many = "select a.age from " + ", ".join(f"ward.patients {alias}" for alias in "abcdef")
        with limited.as_("sid") as sid:
            with pytest.raises(LimitExceeded):
                sid.sql("heart", many)
            with pytest.raises(LimitExceeded):
                sid.sql("heart", many, "csv", io.BytesIO())
            assert sid.sql("heart", "select count(*) n from ward.patients").to_pylist() == [{"n": 10}]


def test_grants_are_given_shown_and_taken_back(delivered: Atoll) -> None:
    with delivered.as_("admin") as admin:
        admin.projects.add("skin", "Skin study")
    with delivered.as_("sam") as steward:
        part = TableGrant(table="patients", columns=("age",), row_filter="age > 30")
        given = steward.grants.add("skin", "ward", reason="Protocol 7", tables=[part], version=1)
        assert given["version"] == 1
        assert steward.grants.show(given["id"])["tables"] == [part.model_dump(mode="json")]
        with pytest.raises(Conflict):
            steward.grants.add("skin", "ward", reason="Again")
        assert [g["id"] for g in steward.grants.list(project="skin")] == [given["id"]]
        assert steward.grants.revoke(given["id"])["state"] == "revoked"
        with pytest.raises(InvalidInput):
            steward.grants.add("skin", "ward", reason="r", tables=[TableGrant(table="patients", row_filter="1; drop")])


def test_flows_audit_and_costs(delivered: Atoll) -> None:
    with delivered.as_("ann") as auditor:
        assert {e["eventType"] for e in auditor.ledger.flows("ward")} >= {"COMPLETE"}
        tail = auditor.ledger.audit_tail(5)
        assert [e.number for e in tail] == sorted(e.number for e in tail)
        assert len(tail) == 5
        everything = list(auditor.ledger.audit())
        assert [e.number for e in everything] == list(range(1, len(everything) + 1))
        assert auditor.ledger.verify_audit().intact
        month = tail[-1].at.strftime("%Y-%m")
        report = auditor.ledger.costs(month, "dataset")
        assert report.total_eur == sum(line.amount_eur for line in report.lines)
        assert report.total_eur > 0
        with pytest.raises(InvalidInput):
            auditor.ledger.costs("last month")


def test_operations_are_shown_with_their_log(delivered: Atoll) -> None:
    with delivered.as_("admin") as admin:
        [first, *_] = admin.operations.list(at_most=1)
        shown = admin.operations.show(first["id"])
        assert shown["state"] == "succeeded"
        assert next(admin.operations.log(first["id"]))["number"] == 1
        with pytest.raises(Conflict):
            admin.operations.cancel(first["id"])


def test_a_restart_is_waited_out(tmp_path: Path) -> None:
    """The admission goes on after a restart; whoever waits is not told of it."""
    home = tmp_path / "home"
    with running(home, workers=False) as before:
        settle(before)
        path = write(tmp_path, "patients.csv", GOOD)
        with before.as_("lab") as lab:
            handed_over = lab.deliver("lab", "ward", [path])
        token = before.tokens["lab"]
    with AtollClient(before.url, token) as lab, pytest.raises(Unavailable):
        lab.wait_for_delivery(handed_over["id"], patience_seconds=0.2)
    with running(home) as after, AtollClient(after.url, token) as lab:
        assert lab.wait_for_delivery(handed_over["id"], timeout_seconds=60)["state"] == "committed"


def test_a_delivery_announced_twice_is_one(atoll: Atoll) -> None:
    files = [ManifestFile(name="patients-x.csv", size_bytes=1, sha256="0" * 64)]
    with atoll.as_("lab") as lab:
        assert lab.deliveries.open("lab", "ward", files)["id"] == lab.deliveries.open("lab", "ward", files)["id"]
