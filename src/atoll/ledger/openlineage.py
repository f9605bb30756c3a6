"""Flow events in the shape of OpenLineage: RunEvent of spec 2-0-2, facets as named below.

Delivered files appear as `<delivery>/<index>`, never by the name they were delivered
under, and SQL is left out: either may hold an identified value.
Source: https://openlineage.io/docs/spec.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from atoll.model.airlock import AirlockRequest, Direction
from atoll.model.dataset import DatasetVersion, TableState
from atoll.model.delivery import Delivery, DeliveryOutcome
from atoll.model.ledger import FlowEvent
from atoll.model.mount import DatasetMount
from atoll.model.query import QueryRecord, Relation
from atoll.model.table import Column

#: An absolute URI that names the software and, by RFC 6761, no real host.
PRODUCER = "https://atoll.invalid/flows"
#: Namespaces: the lake (`dataset.table`), delivered files of a source, results of queries.
LAKE = "atoll://lake"
SOURCES = "atoll://sources"
RESULTS = "atoll://results"
#: Of machines of a project (`<workspace>/<dataset>`).
MACHINES = "atoll://machines"
#: Of files on their way out of or into a project (`<request>/<index>`).
AIRLOCK = "atoll://airlock"
JOBS = "atoll://jobs"

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
_FACETS = "https://openlineage.io/spec/facets"
_SCHEMA = f"{_FACETS}/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
_LINEAGE = f"{_FACETS}/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
_VERSION = f"{_FACETS}/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
_OUTPUT = f"{_FACETS}/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
_JOB_TYPE = f"{_FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"

#: Treatments after which the delivered value cannot be read any more.
MASKING = frozenset({"pseudonymize", "shift_date", "generalize", "constant", "redact"})


def admission_event(
    delivery: Delivery,
    outcome: DeliveryOutcome,
    version: DatasetVersion | None,
    *,
    because: str,
    producer: str = PRODUCER,
) -> FlowEvent:
    """What an admission moved: delivered files to lake tables, column by column.

    COMPLETE with the tables that the delivery filled; FAIL without outputs when nothing
    was committed (`version` None). `because` is what ran it, e.g. `operation/op_...`;
    the same always gives the same run id. Inputs have the numbers
    of `outcome.files`, where archives are opened.
    """
    namespace = f"{SOURCES}/{delivery.source}"
    names = [f"{delivery.id}/{index}" for index in range(len(outcome.files))]
    admission = {
        "delivery": delivery.id,
        "contract": outcome.contract,
        "rowsIn": outcome.rows_in,
        "rowsCommitted": outcome.rows_committed,
        "rowsQuarantined": outcome.rows_quarantined,
        "keyIds": outcome.key_ids,
    }
    fed: dict[str, list[str]] = {}
    rows: dict[str, int] = {}
    for name, file in zip(names, outcome.files, strict=True):
        if file.accepted and file.table is not None and file.rows_committed > 0:
            for filled, count in (file.tables or {file.table: file.rows_committed}).items():
                fed.setdefault(filled, []).append(name)
                rows[filled] = rows.get(filled, 0) + count
    tables = [] if version is None else [table for table in version.tables if table.table in fed]
    return FlowEvent(
        eventType="FAIL" if version is None else "COMPLETE",
        eventTime=outcome.finished_at,
        run=_run(because, producer, {"atoll_admission": _facet(producer, f"{_SPEC}/RunFacet", admission)}),
        job=_job(f"admit.{delivery.dataset}", producer, "ADMISSION"),
        inputs=tuple({"namespace": namespace, "name": name} for name in names),
        outputs=tuple(
            _filled_table(
                delivery.dataset,
                table,
                namespace=namespace,
                files=fed[table.table],
                rows=rows[table.table],
                producer=producer,
            )
            for table in tables
        ),
        producer=producer,
        schemaURL=f"{_SPEC}/RunEvent",
    )


def query_event(
    query: QueryRecord, relations: Sequence[Relation], *, at: datetime, producer: str = PRODUCER
) -> FlowEvent:
    """What a query read: lake tables to a result, which leaves the lake.

    Of `relations` those count that the statement names, once `query.stats` tells them.
    FAIL when the query has an error code.
    """
    named = None if query.stats is None else set(query.stats.relations)
    read = [r for r in relations if named is None or r.name in named]
    result: dict[str, Any] = {"namespace": f"{RESULTS}/{query.project}", "name": query.id}
    if query.stats is not None:
        result["outputFacets"] = {"outputStatistics": _facet(producer, _OUTPUT, {"rowCount": query.stats.rows})}
    facts = {"project": query.project, "person": query.person, "versions": list(query.versions)}
    return FlowEvent(
        eventType="FAIL" if query.error_code else "COMPLETE",
        eventTime=at,
        run=_run(f"query/{query.id}", producer, {"atoll_query": _facet(producer, f"{_SPEC}/RunFacet", facts)}),
        job=_job(f"query.{query.project}", producer, "QUERY"),
        inputs=tuple(_read_table(relation, producer) for relation in read),
        outputs=() if query.error_code else (result,),
        producer=producer,
        schemaURL=f"{_SPEC}/RunEvent",
    )


def mount_event(
    mount: DatasetMount,
    relations: Sequence[Relation],
    *,
    workspace: str,
    person: str,
    because: str,
    at: datetime,
    producer: str = PRODUCER,
) -> FlowEvent:
    """What a machine is shown: lake tables, with the granted columns, into a machine of the project."""
    facts = {
        "project": mount.project,
        "person": person,
        "workspace": workspace,
        "grant": mount.grant,
        "versions": [mount.dataset_version],
    }
    cause = f"mount/{workspace}/{mount.id}/{because}"
    return FlowEvent(
        eventType="COMPLETE",
        eventTime=at,
        run=_run(cause, producer, {"atoll_mount": _facet(producer, f"{_SPEC}/RunFacet", facts)}),
        job=_job(f"mount.{mount.project}", producer, "MOUNT"),
        inputs=tuple(_read_table(relation, producer) for relation in relations),
        outputs=({"namespace": f"{MACHINES}/{mount.project}", "name": f"{workspace}/{mount.dataset}"},),
        producer=producer,
        schemaURL=f"{_SPEC}/RunEvent",
    )


def transfer_event(
    request: AirlockRequest, index: int, *, person: str, because: str, at: datetime, producer: str = PRODUCER
) -> FlowEvent:
    """What passed the airlock: a file out to a person, or into the share of its project.

    The file appears as `<request>/<index>`. The same `because` always gives the same run id.
    """
    file = request.files[index]
    inside = {"namespace": f"{MACHINES}/{request.project}", "name": request.workspace or "project"}
    lock = {"namespace": f"{AIRLOCK}/{request.project}", "name": f"{request.id}/{index}"}
    out = request.direction is Direction.OUT
    facts = {
        "project": request.project,
        "person": person,
        "direction": request.direction.value,
        "request": request.id,
        "sha256": file.sha256,
        "sizeBytes": file.size_bytes,
        "reviewers": [review.reviewer_id for review in request.current_reviews],
    }
    return FlowEvent(
        eventType="COMPLETE",
        eventTime=at,
        run=_run(because, producer, {"atoll_transfer": _facet(producer, f"{_SPEC}/RunFacet", facts)}),
        job=_job(f"transfer.{request.project}", producer, "TRANSFER"),
        inputs=(inside if out else lock,),
        outputs=(lock if out else {**inside, "name": request.placed.get(index, "project")},),
        producer=producer,
        schemaURL=f"{_SPEC}/RunEvent",
    )


def upkeep_event(
    before: DatasetVersion,
    after: DatasetVersion,
    tables: Sequence[str],
    *,
    because: str,
    producer: str = PRODUCER,
) -> FlowEvent:
    """What maintenance made of tables: from one version's snapshots to those of the next, column by column."""
    facts = {
        "dataset": after.dataset,
        "madeBy": after.made_by.value,
        "before": before.number,
        "after": after.number,
        "rowsAdded": after.rows_added,
    }
    old, new = ({s.table: s for s in version.tables if s.table in tables} for version in (before, after))
    return FlowEvent(
        eventType="COMPLETE",
        eventTime=after.committed_at,
        run=_run(because, producer, {"atoll_upkeep": _facet(producer, f"{_SPEC}/RunFacet", facts)}),
        job=_job(f"{after.made_by.value}.{after.dataset}", producer, "MAINTENANCE"),
        inputs=tuple(_table_at(after.dataset, old[table], producer) for table in tables if table in old),
        outputs=tuple(
            {
                **(shown := _table_at(after.dataset, new[table], producer)),
                "facets": {**shown["facets"], "columnLineage": _same_columns(after.dataset, new[table], producer)},
                "outputFacets": {"outputStatistics": _facet(producer, _OUTPUT, {"rowCount": new[table].rows})},
            }
            for table in tables
        ),
        producer=producer,
        schemaURL=f"{_SPEC}/RunEvent",
    )


def _table_at(dataset: str, table: TableState, producer: str) -> dict[str, Any]:
    return {
        "namespace": LAKE,
        "name": f"{dataset}.{table.table}",
        "facets": {
            "schema": _schema(table.columns, producer),
            "version": _facet(producer, _VERSION, {"datasetVersion": str(table.snapshot_id)}),
        },
    }


def _same_columns(dataset: str, table: TableState, producer: str) -> dict[str, Any]:
    done = {"type": "DIRECT", "subtype": "IDENTITY", "description": "kept as it was", "masking": False}
    fields = {
        column.name: {
            "inputFields": [
                {
                    "namespace": LAKE,
                    "name": f"{dataset}.{table.table}",
                    "field": column.name,
                    "transformations": [done],
                }
            ]
        }
        for column in table.columns
    }
    return _facet(producer, _LINEAGE, {"fields": fields})


def _read_table(relation: Relation, producer: str) -> dict[str, Any]:
    return {
        "namespace": LAKE,
        "name": f"{relation.dataset}.{relation.table}",
        "facets": {
            "schema": _schema(relation.columns, producer),
            "version": _facet(producer, _VERSION, {"datasetVersion": str(relation.snapshot_id)}),
        },
    }


def _filled_table(
    dataset: str, table: TableState, *, namespace: str, files: Sequence[str], rows: int, producer: str
) -> dict[str, Any]:
    lineage = {column.name: {"inputFields": _origins(column, namespace, files)} for column in table.columns}
    return {
        "namespace": LAKE,
        "name": f"{dataset}.{table.table}",
        "facets": {
            "schema": _schema(table.columns, producer),
            "columnLineage": _facet(producer, _LINEAGE, {"fields": lineage}),
            "version": _facet(producer, _VERSION, {"datasetVersion": str(table.snapshot_id)}),
        },
        "outputFacets": {"outputStatistics": _facet(producer, _OUTPUT, {"rowCount": rows})},
    }


def _origins(column: Column, namespace: str, files: Iterable[str]) -> list[dict[str, Any]]:
    """The delivered fields behind a column of the lake, and what was done to them."""
    done = {
        "type": "DIRECT",
        "subtype": "IDENTITY" if column.treatment == "keep" else "TRANSFORMATION",
        "description": column.treatment,
        "masking": column.treatment in MASKING,
    }
    field = column.source_column or column.name
    return [{"namespace": namespace, "name": name, "field": field, "transformations": [done]} for name in files]


def _schema(columns: Iterable[Column], producer: str) -> dict[str, Any]:
    fields = []
    for column in columns:
        field = {"name": column.name, "type": str(column.type)}
        fields.append({**field, "description": column.description} if column.description else field)
    return _facet(producer, _SCHEMA, {"fields": fields})


def _run(because: str, producer: str, facets: Mapping[str, Any]) -> dict[str, Any]:
    return {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{producer}/{because}")), "facets": dict(facets)}


def _job(name: str, producer: str, kind: str) -> dict[str, Any]:
    how = {"processingType": "BATCH", "integration": "ATOLL", "jobType": kind}
    return {"namespace": JOBS, "name": name, "facets": {"jobType": _facet(producer, _JOB_TYPE, how)}}


def _facet(producer: str, schema_url: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"_producer": producer, "_schemaURL": schema_url, **body}
