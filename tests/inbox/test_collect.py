"""Folders in a watched directory and in a bucket become deliveries, once each."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from tests.flows.trial import SUBJECTS, VISITS, admit

from atoll.errors import Unavailable
from atoll.flows.collect_drops import collect_drops
from atoll.flows.rooms import Rooms
from atoll.model.delivery import Delivery
from atoll.model.person import Source
from atoll.ports.inbox import MANIFEST, RECEIPT, Drop, Inbox
from atoll.ports.records import Put
from atoll.providers.inbox import DirectoryInbox, ObjectInbox

FILES = {"subjects.csv": SUBJECTS, "visits.csv": VISITS}


def sums(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()).encode()


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.fixture
def folder(trial: Rooms) -> Path:
    assert trial.settings.inbox_dir is not None
    return trial.settings.inbox_dir / "lab" / "trial" / "march"


@pytest.fixture
def collect(trial: Rooms) -> Callable[[], int]:
    assert trial.settings.inbox_dir is not None
    return lambda: collect_drops(trial, [DirectoryInbox(trial.settings.inbox_dir)])  # type: ignore[arg-type]


def deliveries(rooms: Rooms) -> tuple[Delivery, ...]:
    return rooms.records.find(Delivery).records


def test_a_folder_is_taken_in_when_it_is_complete_and_told_what_became_of_it(
    trial: Rooms, folder: Path, collect: Callable[[], int]
) -> None:
    write(folder, FILES)
    assert collect() == 0
    assert deliveries(trial) == ()
    write(folder, {MANIFEST: sums(FILES)})
    assert collect() == 1
    (delivery,) = deliveries(trial)
    assert (delivery.source, delivery.dataset, delivery.opened_by) == ("lab", "trial", "lab")
    assert [path.name for path in folder.iterdir()] == [RECEIPT]
    assert f"Delivery: {delivery.id}" in (folder / RECEIPT).read_text()
    admit(trial)
    assert collect() == 0
    told = (folder / RECEIPT).read_text()
    assert "State: committed" in told
    assert "Rows: 6 read, 5 committed, 1 held" in told
    before = (folder / RECEIPT).stat().st_ctime_ns
    assert collect() == 0
    assert (folder / RECEIPT).stat().st_ctime_ns == before


def test_the_same_files_again_are_the_same_delivery(trial: Rooms, folder: Path, collect: Callable[[], int]) -> None:
    for name in ("march", "march-again"):
        write(folder.with_name(name), {**FILES, MANIFEST: sums(FILES)})
    assert collect() == 2
    assert len(deliveries(trial)) == 1
    assert "delivered before" in (folder.with_name("march-again") / RECEIPT).read_text()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({**FILES, MANIFEST: sums({**FILES, "more.csv": b"x"})}, "Waiting: 1 of 3 files"),
        ({**FILES, "visits.csv": VISITS + b"!", MANIFEST: sums(FILES)}, "SHA-256"),
        ({**FILES, MANIFEST: b"not a checksum\n"}, "line 1"),
        ({**FILES, MANIFEST: sums(FILES) + sums(FILES)}, "line 3"),
        ({**FILES, MANIFEST: b"\n"}, "names no file"),
        ({**FILES, MANIFEST: b"\xff\xfe"}, "no UTF-8"),
        ({**FILES, "x.part": b"", MANIFEST: sums({"x.part": b""})}, "line 1"),
        ({MANIFEST: sums({"../../etc/passwd": b"x"})}, "Waiting"),
    ],
)
def test_what_is_wrong_is_told_once_and_tried_again_when_mended(
    trial: Rooms, folder: Path, collect: Callable[[], int], files: dict[str, bytes], words: str
) -> None:
    write(folder, files)
    assert collect() == 0
    assert words in (folder / RECEIPT).read_text()
    told = (folder / RECEIPT).stat().st_ctime_ns
    assert collect() == 0
    assert (folder / RECEIPT).stat().st_ctime_ns == told
    write(folder, {**FILES, MANIFEST: sums(FILES)})
    assert collect() == 1


def test_while_a_folder_is_still_written_nothing_is_said(trial: Rooms, folder: Path) -> None:
    patient = dataclasses.replace(trial, settings=trial.settings.model_copy(update={"inbox_settle_seconds": 3600.0}))
    assert trial.settings.inbox_dir is not None
    write(folder, {"subjects.csv": SUBJECTS[:20], MANIFEST: sums({"subjects.csv": SUBJECTS})})
    assert collect_drops(patient, [DirectoryInbox(trial.settings.inbox_dir)]) == 0
    assert not (folder / RECEIPT).exists()


def test_who_may_not_deliver_is_told_and_nothing_is_taken(
    trial: Rooms, folder: Path, collect: Callable[[], int]
) -> None:
    for place in ("lab/secret/x", "nobody/trial/x"):
        write(folder.parents[2] / place, {**FILES, MANIFEST: sums(FILES)})
    (source,) = trial.records.find(Source).records
    assert collect() == 0
    assert deliveries(trial) == ()
    assert "Refused." in (folder.parents[2] / "lab/secret/x" / RECEIPT).read_text()
    trial.records.transact([Put(source.but(active=False))])
    write(folder, {**FILES, MANIFEST: sums(FILES)})
    assert collect() == 0
    assert deliveries(trial) == ()


def test_links_pipes_and_sockets_are_not_followed_nor_waited_for(
    trial: Rooms, folder: Path, collect: Callable[[], int], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(SUBJECTS)
    folder.mkdir(parents=True)
    (folder / "subjects.csv").symlink_to(secret)
    os.mkfifo(folder / "pipe.csv")
    outside = tmp_path / "outside"
    write(outside, {**FILES, MANIFEST: sums(FILES)})
    folder.with_name("linked").symlink_to(outside)
    write(folder, {MANIFEST: sums({"subjects.csv": SUBJECTS, "pipe.csv": b""})})
    assert collect() == 0
    assert deliveries(trial) == ()
    assert "2 of 2" in (folder / RECEIPT).read_text()
    assert secret.read_bytes() == SUBJECTS
    assert (outside / MANIFEST).exists()


def test_killed_after_the_hand_over_the_next_round_clears_up(
    trial: Rooms, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trial.settings.inbox_dir is not None
    inbox = DirectoryInbox(trial.settings.inbox_dir)
    write(folder, {**FILES, MANIFEST: sums(FILES)})
    for broken in ("write", "remove"):
        with monkeypatch.context() as patch:

            def die(*_: object) -> None:
                raise Unavailable("The process died here.")

            patch.setattr(DirectoryInbox, broken, die)
            assert collect_drops(trial, [inbox]) == 0
        assert (folder / MANIFEST).exists()
        (folder / RECEIPT).unlink(missing_ok=True)
    assert collect_drops(trial, [inbox]) == 1
    assert len(deliveries(trial)) == 1
    assert [path.name for path in folder.iterdir()] == [RECEIPT]


def test_an_old_receipt_goes_and_the_folder_with_it(trial: Rooms, folder: Path, collect: Callable[[], int]) -> None:
    write(folder, {**FILES, MANIFEST: sums(FILES)})
    assert collect() == 1

    class Later:
        def now(self) -> object:
            return trial.clock.now() + timedelta(days=31)

    assert trial.settings.inbox_dir is not None
    later = dataclasses.replace(trial, clock=Later())  # type: ignore[arg-type]
    collect_drops(later, [DirectoryInbox(trial.settings.inbox_dir)])
    assert not folder.exists()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectInbox]:
    """A bucket of moto's server, which imitates S3: a mock of a cloud, reached by its real API."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT", raising=False)
    import boto3

    endpoint = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="deliveries")
    yield ObjectInbox("s3://deliveries/inbox", endpoint=endpoint)
    server.stop()


def test_a_prefix_of_a_bucket_is_an_inbox_too(trial: Rooms, bucket: ObjectInbox) -> None:
    drop = Drop("lab", "trial", "april 2026")
    big = SUBJECTS + b"S-9,Di,50,2020-05-01\n" * 1000
    files = {"subjects.csv": big, "visits.csv": VISITS}
    assert list(bucket.drops()) == []
    for name, content in files.items():
        bucket.write(drop, name, content)
    assert collect_drops(trial, [bucket]) == 0
    bucket.write(drop, MANIFEST, sums(files))
    assert list(bucket.drops()) == [drop]
    assert collect_drops(trial, [bucket]) == 1
    assert list(bucket.files(drop)) == [RECEIPT]
    (delivery,) = deliveries(trial)
    assert trial.landing.received(delivery) == (True, True)
    admit(trial)
    collect_drops(trial, [bucket])
    assert b"State: committed" in b"".join(bucket.read(drop, RECEIPT))


def test_a_store_that_is_away_is_told_without_its_address(trial: Rooms) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        inbox: Inbox = ObjectInbox("s3://deliveries/inbox", endpoint=f"http://127.0.0.1:{held.getsockname()[1]}")
        inbox._store = type(inbox._store).from_url(  # type: ignore[attr-defined]
            "s3://deliveries/inbox",
            config={"endpoint": f"http://127.0.0.1:{held.getsockname()[1]}", "skip_signature": True},
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        with pytest.raises(Unavailable) as told:
            list(inbox.drops())
    assert "127.0.0.1" not in str(told.value)


def test_two_processes_on_one_inbox_make_one_delivery(trial: Rooms, folder: Path) -> None:
    assert trial.settings.inbox_dir is not None
    write(folder, {**FILES, MANIFEST: sums(FILES)})
    inbox = DirectoryInbox(trial.settings.inbox_dir)
    both = [threading.Thread(target=collect_drops, args=(trial, [inbox])) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(deliveries(trial)) == 1
    assert [path.name for path in folder.iterdir()] == [RECEIPT]
