"""After files were replaced, nothing that the newest snapshot leads to tells of those that went."""

from __future__ import annotations

from atoll.lake import LaidOut, Upkeep


def test_manifests_do_not_tell_of_what_went(lake, stage, rows, vitals):
    file = stage("dlv_1", rows("aaaa-the-person", "kkkk", "zzzz"))
    lake.commit(vitals, [file], delivery_id="dlv_1", contract="clinic@1")
    upkeep = Upkeep(lake)
    out = LaidOut("clinic", "vitals", vitals.columns, upkeep.place("clinic", "vitals", "op_1"), file_bytes=2**20)
    for batch in rows("kkkk", "zzzz").to_arrow().to_batches():
        out.add(batch)
    out.close()
    state = upkeep.replace(vitals, [file.path], out.files, job="op_1", kind="erasure")
    assert (state.rows, state.files) == (2, 1)
    assert upkeep.replace(vitals, [file.path], out.files, job="op_1", kind="erasure") == state
    table = lake.load("clinic", "vitals")
    assert table.metadata.current_snapshot_id == state.snapshot_id
    assert upkeep.expire("clinic", "vitals", {state.snapshot_id}) == 2
    upkeep.sweep("clinic", "vitals", spare=(), older_than_seconds=-1)
    told = [
        entry
        for manifest in table.current_snapshot().manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)
    ]
    assert [entry.data_file.file_path for entry in told] == [f.path for f in out.files]
    for path in (lake.warehouse / "clinic").rglob("*"):
        assert not path.is_file() or b"aaaa-the-person"[:12] not in path.read_bytes(), path
