"""The SFTP server, spoken to by a real client over a real connection."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncssh
import pytest
from tests.flows.trial import VISITS, admit
from tests.inbox.test_collect import FILES, deliveries, sums

from atoll.errors import AlreadyExists, InvalidInput, NotFound, Unavailable
from atoll.flows import manage_source_keys as keys
from atoll.flows.rooms import Rooms
from atoll.model.person import Caller, Role, Source, SubjectKind
from atoll.ports.inbox import MANIFEST, RECEIPT
from atoll.ports.records import Put
from atoll.sftp import server as sftp_server
from atoll.wiring.inbox import Inboxes

ADMIN = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_a", name="admin", roles=frozenset({Role.ADMIN}))
KEY = asyncssh.generate_private_key("ssh-ed25519", comment="lab@example")
STRANGER = asyncssh.generate_private_key("ssh-ed25519")

Act = Callable[[asyncssh.SFTPClient], Awaitable[object]]


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode()


@pytest.fixture
def served(trial: Rooms) -> Iterator[Inboxes]:
    """The server and the collector of `atoll up`, with the key of `lab` on record."""
    keys.add_key(trial, ADMIN, "lab", public_key=public(KEY), label="of the lab")
    inboxes = Inboxes(trial)
    inboxes.start()
    yield inboxes
    inboxes.stop()


def port(served: Inboxes) -> int:
    assert served.server is not None
    return served.server.port


def session(served: Inboxes, act: Act, user: str = "lab", key: asyncssh.SSHKey = KEY) -> object:
    async def run() -> object:
        async with (
            asyncssh.connect(
                "127.0.0.1",
                port(served),
                username=user,
                client_keys=[key],
                known_hosts=None,
                config=None,
                agent_path=None,
            ) as connection,
            connection.start_sftp_client() as client,
        ):
            return await act(client)

    return asyncio.run(run())


async def put(client: asyncssh.SFTPClient, path: str, content: bytes) -> None:
    async with client.open(path, "wb") as file:
        await file.write(content)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_delivery_by_sftp_from_key_to_receipt(trial: Rooms, served: Inboxes) -> None:
    async def send(client: asyncssh.SFTPClient) -> None:
        assert [name for name in await client.listdir("/") if name not in (".", "..")] == ["trial"]
        await client.mkdir("/trial/march")
        for name, content in FILES.items():
            await put(client, f"/trial/march/{name}.part", content)
            await client.posix_rename(f"/trial/march/{name}.part", f"/trial/march/{name}")
        await put(client, f"trial/march/{MANIFEST}", sums(FILES))

    async def receipt(client: asyncssh.SFTPClient) -> str:
        async with client.open(f"/trial/march/{RECEIPT}") as file:
            return str(await file.read())

    session(served, send)
    until(lambda: len(deliveries(trial)) == 1 and deliveries(trial)[0].submitted_at is not None)
    (delivery,) = deliveries(trial)
    folder = trial.settings.sftp_path / "lab" / "trial" / "march"
    until(lambda: [path.name for path in folder.iterdir()] == [RECEIPT])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert delivery.id in str(session(served, receipt))
    admit(trial)
    until(lambda: "committed" in str(session(served, receipt)))
    actions = [entry.event for entry in trial.audit.tail(50)]
    opened = next(event for event in actions if event.action == "session.open")
    assert opened.target == "source/lab"
    assert opened.details["fingerprint"] == KEY.get_fingerprint()
    received = [event.caller.address for event in actions if event.action == "delivery.receive"]
    assert received == ["inbox/sftp"] * 2


def test_an_upload_that_broke_off_goes_on(trial: Rooms, served: Inboxes) -> None:
    async def first(client: asyncssh.SFTPClient) -> None:
        await client.mkdir("/trial/x")
        await put(client, "/trial/x/visits.csv", VISITS[:30])

    async def rest(client: asyncssh.SFTPClient) -> None:
        assert (await client.stat("/trial/x/visits.csv")).size == 30
        async with client.open("/trial/x/visits.csv", "ab") as file:
            await file.write(VISITS[30:])
        await put(client, f"/trial/x/{MANIFEST}", sums({"visits.csv": VISITS}))

    session(served, first)
    session(served, rest)
    until(lambda: len(deliveries(trial)) == 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.open("/trial/x/visits.csv", "rb"),
        lambda c: c.open("/trial/../../lab2/trial/x", "wb"),
        lambda c: c.open("/../../../../etc/passwd", "rb"),
        lambda c: c.open(f"/trial/x/{RECEIPT}", "wb"),
        lambda c: c.open("/visits.csv", "wb"),
        lambda c: c.open("/trial/visits.csv", "wb"),
        lambda c: c.open("/trial/x/deep/visits.csv", "wb"),
        lambda c: c.open("/trial/x/vis\nits.csv", "wb"),
        lambda c: c.mkdir("/other"),
        lambda c: c.mkdir("/trial/x/deep"),
        lambda c: c.mkdir("/secret/x"),
        lambda c: c.symlink("/etc/passwd", "/trial/x/link.csv"),
        lambda c: c.link("/trial/x/visits.csv", "/trial/x/link.csv"),
        lambda c: c.readlink("/trial/x/visits.csv"),
        lambda c: c.rename("/trial/x", "/other"),
        lambda c: c.rename("/trial", "/train"),
        lambda c: c.rename("/trial/x/visits.csv", "/trial/visits.csv"),
        lambda c: c.rename("/trial/x/visits.csv", f"/trial/x/{RECEIPT}"),
        lambda c: c.rename("/trial/x/visits.csv", "/trial/x/there.csv"),
        lambda c: c.rmdir("/trial"),
        lambda c: c.remove("/trial/x"),
        lambda c: c.listdir("/../lab2"),
    ],
)
def test_nothing_but_deliveries_can_be_written_and_nothing_read(served: Inboxes, act: Act) -> None:
    async def cheat(client: asyncssh.SFTPClient) -> None:
        await client.mkdir("/trial/x")
        await put(client, "/trial/x/visits.csv", VISITS)
        await put(client, "/trial/x/there.csv", VISITS)
        with pytest.raises(asyncssh.SFTPError):
            await act(client)
        await client.chmod("/trial/x/visits.csv", 0o777)
        await client.utime("/trial/x/visits.csv", (1, 1))

    session(served, cheat)
    assert served.server is not None
    root = served.server.options.root
    file = root / "lab/trial/x/visits.csv"
    assert file.read_bytes() == VISITS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_mtime > 1
    assert [path.name for path in root.iterdir()] == ["lab"]
    assert [path.name for path in (root / "lab").iterdir()] == ["trial"]


def test_a_link_that_stands_there_leads_nowhere(trial: Rooms, served: Inboxes, tmp_path: Path) -> None:
    session(served, lambda client: client.mkdir("/trial/x"))
    outside = tmp_path / "outside"
    outside.mkdir()
    (trial.settings.sftp_path / "lab/trial/y").symlink_to(outside)
    (trial.settings.sftp_path / "lab/trial/x/z.csv").symlink_to(outside / "z.csv")
    for path in ("/trial/y/visits.csv", "/trial/x/z.csv"):
        with pytest.raises(asyncssh.SFTPError):
            session(served, lambda client, path=path: put(client, path, VISITS))  # type: ignore[misc]
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(("user", "key"), [("lab", STRANGER), ("lab2", KEY), ("nobody", KEY), ("../lab", KEY)])
def test_a_key_opens_its_source_and_no_other(trial: Rooms, served: Inboxes, user: str, key: asyncssh.SSHKey) -> None:
    other = Source(id="src_2", name="lab2", title="Lab", datasets=frozenset({"trial"}), created_at=trial.clock.now())
    trial.records.transact([Put(other)])
    with pytest.raises((asyncssh.PermissionDenied, asyncssh.ConnectionLost)):
        session(served, lambda client: client.listdir("/"), user, key)


def test_a_removed_key_or_a_deactivated_source_is_out_at_once(trial: Rooms, served: Inboxes) -> None:
    (key,) = keys.list_keys(trial, ADMIN, "lab")

    async def lose(client: asyncssh.SFTPClient) -> None:
        await client.mkdir("/trial/x")
        keys.remove_key(trial, ADMIN, "lab", key.id)
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="no longer"):
            await put(client, "/trial/x/visits.csv", VISITS)

    session(served, lose)
    with pytest.raises(asyncssh.PermissionDenied):
        session(served, lambda client: client.listdir("/"))
    with pytest.raises(NotFound):
        keys.remove_key(trial, ADMIN, "lab", key.id)
    keys.add_key(trial, ADMIN, "lab", public_key=public(KEY), label="again")
    source = trial.records.get(Source, "src_lab")
    trial.records.transact([Put(source.but(active=False))])
    with pytest.raises(asyncssh.PermissionDenied):
        session(served, lambda client: client.listdir("/"))


def test_no_password_no_shell_no_forwarding(served: Inboxes) -> None:
    async def try_all() -> None:
        with pytest.raises(asyncssh.PermissionDenied):
            await asyncssh.connect(
                "127.0.0.1", port(served), username="lab", password="x", client_keys=None, known_hosts=None, config=None
            )
        async with asyncssh.connect(
            "127.0.0.1", port(served), username="lab", client_keys=[KEY], known_hosts=None, config=None
        ) as connection:
            with pytest.raises((asyncssh.ChannelOpenError, asyncssh.ProcessError, asyncssh.ConnectionLost)):
                await connection.run("id", check=True)
            with pytest.raises((asyncssh.ChannelOpenError, asyncssh.ConnectionLost)):
                await connection.open_connection("127.0.0.1", port(served))

    asyncio.run(try_all())


def test_the_share_of_a_source_is_its_most(served: Inboxes) -> None:
    async def fill(client: asyncssh.SFTPClient) -> None:
        await client.mkdir("/trial/x")
        with pytest.raises(asyncssh.SFTPError, match="no more"):
            await put(client, "/trial/x/big.csv", bytes(2**20 + 1))
        await client.remove("/trial/x/big.csv")
        await put(client, "/trial/x/fits.csv", bytes(2**20))
        with pytest.raises(asyncssh.SFTPError, match="full"):
            await put(client, "/trial/x/more.csv", b"x")

    session(served, fill)


def test_too_many_connections_of_one_source_are_turned_away(served: Inboxes) -> None:
    async def crowd() -> None:
        assert served.server is not None
        most = served.server.options.source_connections
        held = []
        for _ in range(most):
            held.append(
                await asyncssh.connect(
                    "127.0.0.1", port(served), username="lab", client_keys=[KEY], known_hosts=None, config=None
                )
            )
        with pytest.raises((asyncssh.Error, OSError)):
            extra = await asyncssh.connect(
                "127.0.0.1", port(served), username="lab", client_keys=[KEY], known_hosts=None, config=None
            )
            async with extra.start_sftp_client() as client:
                await client.listdir("/")
        for connection in held:
            connection.close()
            await connection.wait_closed()

    asyncio.run(crowd())
    until(lambda: served.server is not None and not served.server.connected)
    session(served, lambda client: client.listdir("/"))


def test_openssh_s_own_client_delivers(trial: Rooms, served: Inboxes, tmp_path: Path) -> None:
    key = tmp_path / "id"
    key.write_bytes(KEY.export_private_key())
    key.chmod(0o600)
    for name, content in {**FILES, MANIFEST: sums(FILES)}.items():
        (tmp_path / name).write_bytes(content)
    batch = "mkdir /trial/march\ncd /trial/march\nput subjects.csv\nput -p visits.csv\n" + f"put {MANIFEST}\n"
    options = [
        "-oStrictHostKeyChecking=no",
        f"-oUserKnownHostsFile={tmp_path}/known",
        f"-oIdentityFile={key}",
        "-oIdentitiesOnly=yes",
    ]
    done = subprocess.run(
        ["sftp", "-F", "none", *options, "-P", str(port(served)), "-b", "-", "lab@127.0.0.1"],
        input=batch,
        text=True,
        capture_output=True,
        cwd=tmp_path,
        timeout=30,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    until(lambda: len(deliveries(trial)) == 1)


def test_keys_are_checked_before_they_are_let_in(trial: Rooms) -> None:
    weak = asyncssh.generate_private_key("ssh-rsa", key_size=1024)
    for text in ("", "no key", public(weak), KEY.export_private_key().decode()):
        with pytest.raises(InvalidInput):
            keys.add_key(trial, ADMIN, "lab", public_key=text, label="x")
    added = keys.add_key(trial, ADMIN, "lab", public_key=public(KEY), label="x")
    assert added.fingerprint == KEY.get_fingerprint()
    assert "lab@example" not in added.public_key
    with pytest.raises(AlreadyExists):
        keys.add_key(trial, ADMIN, "lab", public_key=public(KEY), label="y")


def test_the_host_key_stays_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "host"
    made = sftp_server.host_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sftp_server.host_key(path).get_fingerprint() == made.get_fingerprint()
    path.write_text("rubbish")
    with pytest.raises(Unavailable):
        sftp_server.host_key(path)
