"""A real service on a unix socket, and a platform that knows who may visit it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import secrets
import threading
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from atoll.errors import NotAuthenticated, NotPermitted, Unavailable
from atoll.model.visit import Admission, Visit
from atoll.proxy import Callbacks, Options, ProxyServer

LARGE_BYTES = 200 * 2**20


class Service:
    """What answers in a machine, in a thread of its own; remembers what reached it."""

    def __init__(self, socket, workspace):
        self.socket = socket
        self.base = f"/w/{workspace}"
        self.seen = []
        self.gone = threading.Event()
        self.closed_with = []
        self.upstream_cut = threading.Event()

    def start(self):
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)

    def stop(self):
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.stopping.set)
            self.thread.join(10)
        self.socket.unlink(missing_ok=True)

    def _run(self, ready):
        self.loop.run_until_complete(self._serve(ready))

    async def _serve(self, ready):
        self.stopping = asyncio.Event()
        app = web.Application(client_max_size=2**40)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True, auto_decompress=False, shutdown_timeout=0.2)
        await runner.setup()
        await web.UnixSite(runner, str(self.socket)).start()
        ready.set()
        await self.stopping.wait()
        await runner.cleanup()

    async def _answer(self, request):
        self.seen.append((request.method, request.raw_path, request.headers.copy()))
        what = request.path.removeprefix(self.base).strip("/").split("/")[0] or "home"
        serve = getattr(self, f"serve_{what.replace('-', '_')}", None)
        return await serve(request) if serve else web.json_response({"raw": request.raw_path})

    async def serve_home(self, request):
        return web.Response(text=f"home of {self.base}", content_type="text/html")

    async def serve_headers(self, request):
        return web.json_response({name: request.headers.getall(name) for name in request.headers})

    async def serve_up(self, request):
        digest, size = hashlib.sha256(), 0
        async for chunk in request.content.iter_any():
            digest.update(chunk)
            size += len(chunk)
        return web.json_response({"size": size, "sha256": digest.hexdigest(), "headers": dict(request.headers)})

    async def serve_down(self, request):
        size = int(request.query.get("size", LARGE_BYTES))
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        block = bytes(range(256)) * 1024
        while size > 0 and request.method != "HEAD":
            await response.write(block[: min(size, len(block))])
            size -= len(block)
        return response

    async def serve_broken(self, request):
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"only this")
        request.transport.abort()
        return response

    async def serve_events(self, request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            for number in range(1000):
                await response.write(f"data: {number}\n\n".encode())
                await asyncio.sleep(0.1)
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise
        return response

    async def serve_zipped(self, request):
        return web.Response(body=gzip.compress(b"squeezed " * 100, mtime=0), headers={"Content-Encoding": "gzip"})

    async def serve_moved(self, request):
        return web.Response(status=302, headers={"Location": f"{self.base}/lab?next=%2Fa%20b"})

    async def serve_cookies(self, request):
        response = web.Response(text="set")
        for line in (
            "_xsrf=2|abc; Path=/; Domain=127.0.0.1",
            f"deep=1; Path={self.base}/deep/; HttpOnly",
            "bare=a b",
            "atoll_session_other=evil; Path=/w/other/",
            "__Host-atoll_session_x=evil; Path=/; Secure",
            "climb=1; Path=/w/other/",
        ):
            response.headers.add("Set-Cookie", line)
        return response

    async def serve_reach(self, request):
        return web.Response(
            text="reach",
            headers={
                "Access-Control-Allow-Origin": "*",
                "Clear-Site-Data": '"cookies"',
                "Strict-Transport-Security": "max-age=1; includeSubDomains",
                "Report-To": "{}",
                "Cache-Control": "public, max-age=60, s-maxage=9",
                "Content-Security-Policy": "report-uri /csp",
                "Referrer-Policy": "unsafe-url",
            },
        )

    async def serve_attached(self, request):
        return web.Response(body=b"rows", headers={"Content-Disposition": 'attachment; filename="rows.csv"'})

    async def serve_status(self, request):
        return web.Response(status=int(request.query["code"]), headers={"X-Machine": "yes"})

    async def serve_ws_refused(self, request):
        return web.Response(status=403, text="no", headers={"X-Machine": "refused"})

    async def serve_ws(self, request):
        socket = web.WebSocketResponse(protocols=["v1.kernel", "other"], max_msg_size=0, autoping=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT and message.data.startswith("close "):
                _, code, reason = message.data.split(" ", 2)
                await socket.close(code=int(code), message=reason.encode())
            elif message.type is aiohttp.WSMsgType.TEXT and message.data == "die":
                request.transport.abort()
            elif message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        self.closed_with.append(socket.close_code)
        self.gone.set()
        return socket


class Platform:
    """Who may visit what, held in memory; the platform's own is tested in tests/flows."""

    def __init__(self):
        self.sockets = {}
        self.tickets = {}
        self.sessions = {}
        self.may = {}
        self.controls = {}
        self.away = False
        self.asked = 0
        self.told = {}

    def ticket(self, login, workspace):
        ticket = secrets.token_urlsafe(32)
        self.tickets[ticket] = (login, workspace)
        return ticket

    def resolve(self, workspace):
        return self.sockets.get(workspace)

    def admit(self, ticket, workspace, address):
        login, wanted = self.tickets.pop(ticket, (None, None))
        if wanted != workspace:
            raise NotAuthenticated("The ticket is wrong or used.", todo="Open the workspace from the platform.")
        secret = secrets.token_urlsafe(32)
        self.sessions[secret] = (login, workspace)
        return Admission(secret=secret, visit=self.authorise(secret, workspace))

    def authorise(self, secret, workspace):
        self.asked += 1
        if self.away:
            raise Unavailable("The store is away.")
        login, where = self.sessions.get(secret, (None, None))
        if login is None or where != workspace:
            raise NotAuthenticated("No such session.")
        if login not in self.may.get(workspace, ()):
            raise NotPermitted("Not yours.")
        return Visit(
            workspace=workspace,
            login=login,
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            **{"downloads": True, **self.controls.get(workspace, {})},
        )

    def leave(self, secret, workspace):
        self.sessions.pop(secret, None)

    def active(self, seen):
        self.told.update(seen)


class World:
    """Two machines, `ws_a` of ada and `ws_b` of bob, behind one proxy."""

    def __init__(self, directory, **options):
        self.platform = Platform()
        self.services = {}
        for workspace, login in (("ws_a", "ada"), ("ws_b", "bob")):
            run = directory / workspace / "run"
            run.mkdir(parents=True)
            service = Service(run / "jup.sock", workspace)
            service.start()
            self.services[workspace] = service
            self.platform.sockets[workspace] = service.socket
            self.platform.may[workspace] = {login}
        self.registry = CollectorRegistry()
        callbacks = Callbacks(
            resolve=self.platform.resolve,
            admit=self.platform.admit,
            authorise=self.platform.authorise,
            leave=self.platform.leave,
            active=self.platform.active,
        )
        chosen = {"ports": (0, 0), "believe_seconds": 0.2, "recheck_seconds": 0.3, **options}
        self.proxy = ProxyServer(callbacks, Options(**chosen), self.registry)
        self.proxy.start()

    @property
    def service(self):
        return self.services["ws_a"]

    def close(self):
        self.proxy.stop()
        for service in self.services.values():
            service.stop()

    def metric(self, name, **labels):
        return self.registry.get_sample_value(name, labels) or 0.0


class Browser:
    """A client with the cookie of one visit; it does nothing by itself that a test does not say."""

    def __init__(self, world, workspace, login):
        self.world, self.workspace, self.login = world, workspace, login
        self.origin = world.proxy.origin(workspace)
        self.cookie = None

    async def __aenter__(self):
        self.http = aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=60)
        )
        if self.login is not None:
            url = self.world.proxy.ticket_url(self.workspace, self.world.platform.ticket(self.login, self.workspace))
            async with self.http.get(url) as answer:
                assert answer.status == 200, await answer.text()
                self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return self

    async def __aexit__(self, *_):
        await self.http.close()

    def url(self, path):
        from yarl import URL

        return URL(f"{self.origin}/w/{self.workspace}/{path}", encoded=True)

    def head(self, headers):
        head = dict(headers or {})
        if self.cookie:
            head["Cookie"] = "; ".join(filter(None, [head.get("Cookie"), self.cookie]))
        return head

    def send(self, method, path, headers=None, **options):
        options.setdefault("allow_redirects", False)
        return self.http.request(method, self.url(path), headers=self.head(headers), **options)

    def get(self, path, headers=None, **options):
        return self.send("GET", path, headers, **options)

    def websocket(self, path, headers=None, **options):
        return self.http.ws_connect(self.url(path), headers=self.head(headers), max_msg_size=0, **options)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("machines"))
    yield world
    world.close()


@pytest.fixture
def fresh(tmp_path):
    """For tests that take rights away or break machines."""
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def make_world(tmp_path):
    """A world with options of its own."""
    made = []

    def make(**options):
        made.append(World(tmp_path, **options))
        return made[-1]

    yield make
    for world in made:
        world.close()
