from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import jsonschema
import pytest

from atoll.ledger import FlowLog, admission_event, query_event, stream_index, upkeep_event
from atoll.ledger.openlineage import LAKE
from atoll.model.dataset import DatasetVersion, TableState
from atoll.model.delivery import Delivery, DeliveryOutcome, FileOutcome, ManifestFile, manifest_id
from atoll.model.ledger import FlowEvent
from atoll.model.query import QueryRecord, QueryStats, Relation
from atoll.model.table import Column, ColumnType
from atoll.ports.clock import Clock
from atoll.ports.records import RecordStore
from atoll.providers.records import open_record_store

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEXT = {"type": "string"}

#: What OpenLineage 2-0-2 asks of a RunEvent, and its facets of themselves.
RUN_EVENT_SCHEMA: dict[str, Any] = {
    "$defs": {
        "facet": {
            "type": "object",
            "required": ["_producer", "_schemaURL"],
            "properties": {"_producer": TEXT, "_schemaURL": TEXT},
        },
        "facets": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/facet"},
            "properties": {
                "schema": {
                    "properties": {
                        "fields": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {"name": TEXT, "type": TEXT, "description": TEXT},
                            },
                        }
                    }
                },
                "columnLineage": {
                    "required": ["fields"],
                    "properties": {
                        "fields": {
                            "type": "object",
                            "additionalProperties": {
                                "type": "object",
                                "required": ["inputFields"],
                                "properties": {
                                    "inputFields": {"type": "array", "items": {"$ref": "#/$defs/inputField"}}
                                },
                            },
                        }
                    },
                },
                "version": {"required": ["datasetVersion"], "properties": {"datasetVersion": TEXT}},
                "outputStatistics": {"properties": {"rowCount": {"type": "integer"}}},
                "jobType": {"required": ["processingType", "integration"]},
            },
        },
        "inputField": {
            "type": "object",
            "required": ["namespace", "name", "field"],
            "properties": {
                "transformations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["type"],
                        "properties": {
                            "type": {"enum": ["DIRECT", "INDIRECT"]},
                            "subtype": {"enum": ["IDENTITY", "TRANSFORMATION", "AGGREGATION"]},
                            "description": TEXT,
                            "masking": {"type": "boolean"},
                        },
                        "additionalProperties": False,
                    },
                }
            },
        },
        "dataset": {
            "type": "object",
            "required": ["namespace", "name"],
            "properties": {
                "namespace": TEXT,
                "name": TEXT,
                "facets": {"$ref": "#/$defs/facets"},
                "outputFacets": {"$ref": "#/$defs/facets"},
            },
        },
    },
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$"},
        "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
        "run": {"required": ["runId"], "properties": {"facets": {"$ref": "#/$defs/facets"}}},
        "job": {"required": ["namespace", "name"], "properties": {"facets": {"$ref": "#/$defs/facets"}}},
        "inputs": {"type": "array", "items": {"$ref": "#/$defs/dataset"}},
        "outputs": {"type": "array", "items": {"$ref": "#/$defs/dataset"}},
    },
}

FILES = (
    ManifestFile(name="patients MRN-4711.csv", size_bytes=10, sha256="a" * 64),
    ManifestFile(name="patients-2.csv", size_bytes=10, sha256="b" * 64),
    ManifestFile(name="notes.csv", size_bytes=10, sha256="c" * 64),
)
DELIVERY = Delivery(
    id="dlv_1",
    manifest_id=manifest_id("lab", "synthea", FILES),
    source="lab",
    dataset="synthea",
    files=FILES,
    opened_by="lab",
    opened_at=AT,
)
COLUMNS = (
    Column(name="id", type=ColumnType.STRING, treatment="pseudonymize", source_column="Id", description="Pseudonym"),
    Column(name="born", type=ColumnType.DATE, treatment="shift_date", source_column="BIRTHDATE"),
    Column(name="gender", type=ColumnType.STRING, treatment="keep", source_column="GENDER"),
)
ROWS = {"rows": 5, "size_bytes": 100, "files": 1, "columns": COLUMNS}
VERSION = DatasetVersion(
    id="synthea@3",
    dataset="synthea",
    number=3,
    delivery=DELIVERY.id,
    contract="synthea@1",
    tables=(
        TableState(table="patients", snapshot_id=2**62, **ROWS),
        TableState(table="encounters", snapshot_id=1, **ROWS),
    ),
    committed_at=AT,
    rows_added=5,
    bytes_added=100,
)
RELATIONS = tuple(
    Relation(dataset="synthea", table=table, snapshot_id=7, columns=COLUMNS[1:], row_filter=None, files=())
    for table in ("patients", "encounters")
)


def outcome(committed: bool = True) -> DeliveryOutcome:
    rows = (3, 2, 0) if committed else (0, 0, 0)
    return DeliveryOutcome(
        committed=committed,
        contract="synthea@1",
        dataset_version=3 if committed else None,
        key_ids={"patients": "k1"},
        files=tuple(
            FileOutcome(
                name=file.name,
                table=None if file.name == "notes.csv" else "patients",
                accepted=count > 0,
                rows_in=3,
                rows_committed=count,
                rows_quarantined=3 - count,
            )
            for file, count in zip(FILES, rows, strict=True)
        ),
        rows_in=9,
        rows_committed=sum(rows),
        rows_quarantined=9 - sum(rows),
        bytes_in=30,
        bytes_committed=100,
        finished_at=AT,
    )


def query(**changes: Any) -> QueryRecord:
    stats = QueryStats(rows=4, seconds=0.1, scanned_bytes=100, relations=("synthea.patients",))
    plain = QueryRecord(
        id="qry_1", project="heart", person="per_1", sql="SELECT 'MRN-4711'", started_at=AT, stats=stats
    )
    return plain.but(**changes)


@pytest.fixture
def flows(tmp_path: Path, clock: Clock) -> Iterator[tuple[FlowLog, RecordStore]]:
    records = open_record_store(f"sqlite:///{tmp_path / 'records.db'}")
    yield FlowLog(records, clock), records
    records.close()


def stored(event: FlowEvent) -> Any:
    return json.loads(event.model_dump_json())


@pytest.mark.parametrize(
    "event",
    [
        admission_event(DELIVERY, outcome(), VERSION, because="operation/op_1"),
        admission_event(DELIVERY, outcome(committed=False), None, because="operation/op_1"),
        upkeep_event(
            VERSION, VERSION.but(number=2, made_by="compaction"), ("patients", "encounters"), because="operation/op_2"
        ),
        query_event(query(), RELATIONS, at=AT),
        query_event(query(stats=None, error_code="limit_exceeded"), RELATIONS, at=AT),
    ],
)
def test_events_are_openlineage_and_hold_nothing_identified(event: FlowEvent) -> None:
    body = stored(event)
    jsonschema.validate(body, RUN_EVENT_SCHEMA)
    UUID(body["run"]["runId"])
    assert urlsplit(body["producer"]).scheme == "https" and urlsplit(body["producer"]).hostname.endswith(".invalid")
    # A delivered file name or a literal in SQL may name a person.
    assert "4711" not in json.dumps(body)


def test_an_admission_leads_from_files_to_the_tables_they_filled() -> None:
    event = admission_event(DELIVERY, outcome(), VERSION, because="operation/op_1")
    assert event.eventType == "COMPLETE" and event.eventTime == AT
    assert [i["name"] for i in event.inputs] == [f"{DELIVERY.id}/{n}" for n in range(3)]
    assert {i["namespace"] for i in event.inputs} == {"atoll://sources/lab"}
    (table,) = event.outputs
    assert (table["namespace"], table["name"]) == (LAKE, "synthea.patients")
    assert table["facets"]["version"]["datasetVersion"] == str(2**62)
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 5
    assert [f["name"] for f in table["facets"]["schema"]["fields"]] == ["id", "born", "gender"]
    lineage = table["facets"]["columnLineage"]["fields"]
    told = {
        name: (
            inputs[0]["field"],
            inputs[0]["transformations"][0]["subtype"],
            inputs[0]["transformations"][0]["masking"],
        )
        for name, inputs in ((name, field["inputFields"]) for name, field in lineage.items())
    }
    assert told == {
        "id": ("Id", "TRANSFORMATION", True),
        "born": ("BIRTHDATE", "TRANSFORMATION", True),
        "gender": ("GENDER", "IDENTITY", False),
    }
    assert [i["name"] for i in lineage["id"]["inputFields"]] == [f"{DELIVERY.id}/0", f"{DELIVERY.id}/1"]
    counts = event.run["facets"]["atoll_admission"]
    assert counts["rowsIn"] == counts["rowsCommitted"] + counts["rowsQuarantined"] == 9


def test_a_rejected_delivery_leads_nowhere() -> None:
    event = admission_event(DELIVERY, outcome(committed=False), None, because="operation/op_1")
    assert (event.eventType, event.outputs, len(event.inputs)) == ("FAIL", (), 3)


def test_the_same_cause_is_the_same_run() -> None:
    one, again, other = (
        admission_event(DELIVERY, outcome(), VERSION, because=because).run["runId"] for because in ("a", "a", "b")
    )
    assert one == again != other


def test_a_query_leads_from_what_it_named_to_its_result() -> None:
    event = query_event(query(), RELATIONS, at=AT)
    assert [i["name"] for i in event.inputs] == ["synthea.patients"]
    assert [f["name"] for f in event.inputs[0]["facets"]["schema"]["fields"]] == ["born", "gender"]
    (result,) = event.outputs
    assert (result["namespace"], result["name"]) == ("atoll://results/heart", "qry_1")
    assert result["outputFacets"]["outputStatistics"]["rowCount"] == 4
    failed = query_event(query(stats=None, error_code="unavailable"), RELATIONS, at=AT)
    assert (failed.eventType, failed.outputs, len(failed.inputs)) == ("FAIL", (), 2)


def test_the_log_tells_the_last_events_of_a_dataset(
    flows: tuple[FlowLog, RecordStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_index, "BATCH", 3)
    log, records = flows
    assert log.of_dataset("synthea") == ()
    other = RELATIONS[0].but(dataset="synthea_two")
    events = []
    for number in range(10):
        relations, name = (RELATIONS, "synthea") if number % 2 else ((other,), "synthea_two")
        stats = QueryStats(rows=number, seconds=0, scanned_bytes=0, relations=(f"{name}.patients",))
        events.append(query_event(query(id=f"qry_{number}", stats=stats), relations, at=AT))
        log.emit(events[-1])
    admitted = admission_event(DELIVERY, outcome(), VERSION, because="operation/op_1")
    records.transact([log.append(admitted)])
    assert log.of_dataset("synthea", 100) == (*events[1::2], admitted)
    assert log.of_dataset("synthea", 2) == (events[9], admitted)
    assert log.of_dataset("synthea_two", 2) == (events[6], events[8])
    assert log.of_dataset("nothing") == ()
