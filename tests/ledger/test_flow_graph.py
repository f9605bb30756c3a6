"""Mounts, machines and what left them by the airlock, in the graph."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from atoll.ledger import flow_graph, mount_event, openlineage, transfer_event
from atoll.model.airlock import AirlockFile, AirlockRequest, Direction
from atoll.model.ledger import FlowEvent
from atoll.model.mount import DatasetMount
from atoll.model.query import Relation

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LOOKUPS = flow_graph.Lookups(
    version=lambda delivery, name, snapshot: 7, grant=lambda project, dataset, at: "grt_1", person=lambda id: id[4:]
)
RELATION = Relation(dataset="trial", table="visits", snapshot_id=9, columns=(), row_filter=None, files=())
MOUNT = DatasetMount(id="mnt_1", project="heart", dataset="trial", dataset_version="trial@7", grant="grt_2")


def mounted(at=AT) -> FlowEvent:
    return mount_event(MOUNT, [RELATION], workspace="ws_1", person="per_ada", because="op_1", at=at)


def edges(graph):
    return {(edge.from_, edge.to, edge.kind) for edge in graph.edges}


def test_a_mount_leads_to_its_machine_and_a_release_out_of_it():
    file = AirlockFile(name="table.csv", sha256="a" * 64, size_bytes=12, blob="b", sealed_key="k", added_at=AT)
    request = AirlockRequest(
        id="air_1",
        project="heart",
        direction=Direction.OUT,
        purpose="paper",
        destination="journal",
        workspace="ws_1",
        requester_id="per_ada",
        requester="ada",
        opened_at=AT,
        changed_at=AT,
        files=(file,),
    )
    out = transfer_event(request, 0, person="per_ada", because="fetch", at=AT + timedelta(hours=1))
    graph = flow_graph.graph_of([mounted(), out], LOOKUPS, more=False)
    assert edges(graph) == {
        ("table/trial.visits@7", "mount/ws_1/trial@7", "mounted"),
        ("grant/grt_2", "mount/ws_1/trial@7", "granted"),
        ("mount/ws_1/trial@7", "workspace/ws_1", "mounted"),
        ("workspace/ws_1", "release/air_1/0", "released"),
    }
    labels = {node.id: node.label for node in graph.nodes}
    assert labels["workspace/ws_1"] == "Machine of ada"
    assert labels["release/air_1/0"] == "Released to ada"
    assert (graph.events, graph.oldest) == (2, AT)


def test_what_happens_again_is_one_edge_that_counts():
    graph = flow_graph.graph_of([mounted(), mounted(AT + timedelta(days=1))], LOOKUPS, more=True)
    edge = next(e for e in graph.edges if e.to == "workspace/ws_1")
    assert (edge.times, edge.at) == (2, AT + timedelta(days=1))
    assert graph.more


def test_an_edge_is_told_with_from():
    graph = flow_graph.graph_of([mounted()], LOOKUPS, more=False)
    assert set(graph.model_dump(mode="json")["edges"][0]) == {"from", "to", "kind", "at", "times"}


def test_every_event_we_write_has_a_drawing():
    names = {f"atoll_{name}" for name in ("admission", "query", "mount", "transfer", "upkeep")}
    assert set(flow_graph._DRAWN) == names
    assert openlineage.AIRLOCK.startswith("atoll://")
