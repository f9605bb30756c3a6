from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from atoll.errors import NotAuthenticated
from atoll.gateway import (
    Callbacks,
    Gateway,
    GatewayHost,
    GatewayLimits,
    Identity,
    Machine,
    Mirror,
    MirrorRules,
    Repositories,
)
from atoll.model.package import PackageDownload
from atoll.model.push import Push

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)


@dataclass
class FixedClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class Asked:
    """A request that a local server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


#: Status, headers, and the body whole or in pieces.
Answer = tuple[int, dict[str, str], bytes | Iterator[bytes]]


@dataclass
class LocalServer:
    """A real HTTP server on the loopback; pages by path, or a function of the request."""

    pages: dict[str, bytes | Callable[[Asked], Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@contextlib.contextmanager
def serving() -> Iterator[LocalServer]:
    local = LocalServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers), body)
            local.asked.append(asked)
            page = local.pages.get(self.path.partition("?")[0])
            if page is None:
                answer: Answer = (404, {}, b"{}")
            elif isinstance(page, bytes):
                kind = "application/json" if page[:1] in b"{[" else "application/octet-stream"
                answer = (200, {"Content-Type": kind}, page)
            else:
                answer = page(asked)
            status, headers, sent = answer
            self.send_response(status)
            length = {} if "Transfer-Encoding" in headers else {"Content-Length": str(len(sent))}
            for name, value in (length | headers).items():
                self.send_header(name, value)
            self.end_headers()
            for piece in [sent] if isinstance(sent, bytes) else sent:
                self.wfile.write(piece)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    local.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield local
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def upstream() -> Iterator[LocalServer]:
    with serving() as server:
        yield server


@pytest.fixture
def api() -> Iterator[LocalServer]:
    with serving() as server:
        yield server


@dataclass
class House:
    """A gateway that runs, and what the platform was told by it."""

    host: GatewayHost
    repositories: Repositories
    place: Path
    clock: FixedClock
    downloads: list[PackageDownload] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    #: Workspaces that have an identity; others are refused.
    known: dict[str, str] = field(default_factory=dict)
    may_create: bool = False
    recording_fails: bool = False

    def machine(self, workspace: str = "wsp_a", project: str = "heart", **more: Any) -> Machine:
        machine = Machine(workspace, project, self.place / workspace / "gw" / "gw.sock", **more)
        self.known.setdefault(workspace, f"secret-of-{workspace}")
        self.host.open(machine)
        return machine

    @contextlib.contextmanager
    def inside(self, workspace: str = "wsp_a", project: str = "heart") -> Iterator[httpx.Client]:
        """HTTP as a program inside the machine speaks it."""
        machine = self.machine(workspace, project)
        transport = httpx.HTTPTransport(uds=str(machine.socket))
        with httpx.Client(transport=transport, base_url="http://127.0.0.1:3141", timeout=20) as client:
            yield client


@pytest.fixture
def house_of(api: LocalServer, upstream: LocalServer, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Starts a gateway with some rules for the mirror and limits."""
    places: list[Path] = []
    hosts: list[GatewayHost] = []

    def build(*, limits: GatewayLimits | None = None, push_bytes: int = 2**24, **rules: Any) -> House:
        # Not below tmp_path: clients' paths of sockets end at 108 bytes.
        place = Path(tempfile.mkdtemp(prefix="gw-"))
        places.append(place)
        clock = FixedClock()
        rules.setdefault("urls", {name: f"{upstream.url}/{name}" for name in ("pypi", "npm", "cran", "debian")})
        rules.setdefault("discover", False)
        repositories = Repositories(tmp_path / "git", max_push_bytes=push_bytes)

        def identity(workspace: str) -> Identity:
            if workspace not in house.known:
                raise NotAuthenticated("The workspace has no identity any more.")
            return Identity("ada", SecretStr(house.known[workspace]))

        def record_download(download: PackageDownload) -> None:
            if house.recording_fails:
                raise RuntimeError("The ledger is away.")
            house.downloads.append(download)

        def record_push(push: Push) -> None:
            house.pushes.append(push)

        gateway = Gateway(
            api_url=api.url,
            callbacks=Callbacks(
                identity=identity,
                record_download=record_download,
                record_push=record_push,
                create_repository=lambda _workspace, _name: house.may_create,
            ),
            mirror=Mirror(tmp_path / "mirror", clock, MirrorRules(**rules)),
            repositories=repositories,
            limits=limits or GatewayLimits(),
        )
        host = GatewayHost(gateway)
        host.start()
        hosts.append(host)
        house = House(host, repositories, place, clock)
        return house

    yield build
    for host in hosts:
        host.stop()
    for place in places:
        shutil.rmtree(place)


@pytest.fixture
def house(house_of: Callable[..., House]) -> House:
    return house_of()


@contextlib.contextmanager
def forwarded(target: Path) -> Iterator[int]:
    """A port of the loopback that leads to a unix socket, as the forwarder inside a machine does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve(near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX)
        with near, far:
            far.connect(str(target))
            back = threading.Thread(target=pump, args=(far, near), daemon=True)
            back.start()
            pump(near, far)
            back.join()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=serve, args=(near,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def forward() -> Callable[[Path], contextlib.AbstractContextManager[int]]:
    return forwarded
