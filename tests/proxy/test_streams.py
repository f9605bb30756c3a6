"""Clients and machines that cheat at the stream of a screen."""

from __future__ import annotations

import asyncio
import socketserver
import struct
import threading

import aiohttp
import pytest
from tests.proxy.conftest import Browser
from tests.proxy.screens import may, terminal, until
from tests.proxy.test_stream_filters import ASKS, FORMAT, GREETED, KEY, NAMED, PASTED, VERSION, cut_text

from atoll.model.visit import SCREEN


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with terminal(tmp_path_factory.mktemp("desk")) as world:
        yield world


# -- clients that cheat ---------------------------------------------------------------


class Raw:
    """A viewer that sends what the test says."""

    def __init__(self, socket):
        self.socket, self.held = socket, b""

    async def have(self, count):
        while len(self.held) < count:
            message = await asyncio.wait_for(self.socket.receive(), 20)
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise ConnectionError(f"{message.type} {message.data} {message.extra}")
            self.held += message.data
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    async def greet(self):
        assert await self.have(12) == VERSION
        await self.socket.send_bytes(VERSION)
        assert await self.have(2) == b"\x01\x01"
        await self.socket.send_bytes(b"\x01")
        assert await self.have(4) == bytes(4)
        await self.socket.send_bytes(b"\x00")
        head = await self.have(24)
        return await self.have(struct.unpack_from(">I", head, 20)[0])


def asked(number):
    return struct.pack(">BxHi", 2, 1, number)


async def everything(raw, seconds):
    """What comes in this time."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                raw.held += await raw.have(len(raw.held) + 1)
    except TimeoutError:
        return raw.held


@pytest.mark.parametrize("paste", [False, True])
def test_a_client_of_ones_own_gets_no_text_out(desk, paste):
    """It asks for the clipboard in every way that there is; the terminal's owner copied a secret."""
    may(desk, paste=paste)

    async def go():
        async with Browser(desk, "ws_a", "ada") as browser, browser.websocket("screen") as socket:
            raw = Raw(socket)
            assert await raw.greet() == b"lab"
            caps = struct.pack(">BxxxiII", 6, -8, (1 << 24) | (31 << 24) | 1, 2**20)
            wants = struct.pack(">BxxxiI", 6, -4, (1 << 25) | 1)
            peeks = struct.pack(">BxxxiI", 6, -4, 1 << 26)
            await socket.send_bytes(b"\0\0\0\0" + FORMAT + asked(0) + asked(0xC0A1E5CE - 2**32) + caps + wants + peeks)
            for _ in range(3):
                await socket.send_bytes(wants + b"\x03\1\0\0\0\0\0\x10\0\x10")
                await asyncio.sleep(0.1)
            seen = await everything(raw, 1.5)
            assert b"secret" not in seen
            # Whatever was said of texts is no longer than the words of the platform.
            assert len(seen) < 2**16

    asyncio.run(go())


@pytest.mark.parametrize(
    "cheat",
    [
        b"\xf8\0\0\0\0\0\0\0\x08covertly",
        b"\xff\0\0\1\0\0\0\x61\0\0\0\x1e",
        b"\0\0\0\0" + b"\x08\x08" + FORMAT[2:],
        b"\x2a",
    ],
)
def test_a_message_that_may_not_be_ends_the_stream_and_is_counted(desk, cheat):
    may(desk)
    before = desk.metric("atoll_proxy_stream_refused_total", what="message")

    async def go():
        async with Browser(desk, "ws_a", "ada") as browser, browser.websocket("screen") as socket:
            await Raw(socket).greet()
            await socket.send_bytes(cheat)
            while (message := await socket.receive(timeout=20)).type is aiohttp.WSMsgType.BINARY:
                pass
            assert socket.close_code == 1002, message

    asyncio.run(go())
    assert desk.metric("atoll_proxy_stream_refused_total", what="message") == before + 1


def test_nothing_but_the_screen_is_reached(desk):
    may(desk)

    async def go():
        async with Browser(desk, "ws_a", "ada") as browser:
            for path in ("api", "files/notes.txt", "../m", "assets/", "%2e%2e/page", ".vite/manifest.json/x"):
                async with browser.get(path) as answer:
                    assert answer.status in (403, 404), path
            async with browser.send("POST", "") as answer:
                assert answer.status == 405
            async with browser.get("screen") as answer:
                assert answer.status == 400
            async with browser.get("") as answer:
                assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        async with Browser(desk, "ws_a", None) as nobody:
            for path in ("", "facts", "screen"):
                async with nobody.get(path) as answer:
                    assert answer.status == 401

    asyncio.run(go())


def test_a_page_of_another_origin_does_not_open_the_screen(desk):
    may(desk)

    async def go():
        async with Browser(desk, "ws_a", "ada") as browser:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await browser.websocket("screen", {"Origin": "https://elsewhere.example"})
            assert refused.value.status == 403

    asyncio.run(go())


# -- machines that cheat --------------------------------------------------------------


@pytest.fixture
def impostor(fresh):
    """`impostor(data)` listens in the place of ws_a's X server and sends that."""
    servers = []

    def start(data):
        class Face(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.sendall(data)
                fresh.got = b""
                while block := self.request.recv(65_536):
                    fresh.got += block

        path = fresh.platform.sockets["ws_a"].with_name(SCREEN)
        server = socketserver.ThreadingUnixStreamServer(str(path), Face)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return fresh

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_machine_that_sends_texts_is_not_heard(impostor):
    world = impostor(NAMED + cut_text(b"one secret") + b"\x02" + cut_text(b"another secret"))
    may(world, paste=True)

    async def go():
        async with Browser(world, "ws_a", "ada") as browser, browser.websocket("screen") as socket:
            raw = Raw(socket)
            await raw.greet()
            assert await raw.have(1) == b"\x02"
            await socket.send_bytes(PASTED + KEY + ASKS)
            assert await everything(raw, 0.3) == b""

    asyncio.run(go())
    assert until(lambda: world.got == GREETED + PASTED + KEY + ASKS), world.got
    assert world.metric("atoll_proxy_stream_refused_total", what="text out") == 2


def test_a_machine_that_speaks_something_else_is_cut(impostor):
    world = impostor(b"HTTP/1.1 200 OK\r\n\r\nrows,of,data")
    may(world)

    async def go():
        async with Browser(world, "ws_a", "ada") as browser, browser.websocket("screen") as socket:
            message = await socket.receive(timeout=20)
            assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1002)

    asyncio.run(go())


def test_a_link_in_the_place_of_the_screen_leads_nowhere(fresh, tmp_path):
    path = fresh.platform.sockets["ws_a"].with_name(SCREEN)
    path.symlink_to(fresh.platform.sockets["ws_b"])
    may(fresh)

    async def go():
        async with Browser(fresh, "ws_a", "ada") as browser:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await browser.websocket("screen")
            assert refused.value.status == 503

    asyncio.run(go())
    assert fresh.services["ws_b"].seen == []
