"""An origin for each machine: a host name or a port."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest
from tests.proxy.conftest import Browser

from atoll.errors import InvalidInput, LimitExceeded, Unavailable
from atoll.model.record import utc_now
from atoll.model.visit import Admission, Visit
from atoll.proxy import Callbacks, Options, ProxyServer
from atoll.proxy.cookies import from_machine, set_session
from atoll.proxy.headers import cache_control
from atoll.proxy.origins import HostNames


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def free_ports(count):
    """The first of so many ports in a row that are free now."""
    for first in range(42_000, 60_000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise AssertionError("no free ports")


def test_host_names(make_world):
    world = make_world(url="http://{workspace}.machines.localhost")

    async def go():
        url = f"http://127.0.0.1:{world.proxy.port}/w/ws_a/"
        assert world.proxy.origin("ws_a") == "http://ws-a.machines.localhost"
        async with Browser(world, "ws_a", None) as ada:
            at_a = {"Host": "ws-a.machines.localhost"}
            ticket = world.platform.ticket("ada", "ws_a")
            async with ada.http.get(f"{url}.atoll/enter?ticket={ticket}", headers=at_a) as answer:
                cookie = answer.headers["Set-Cookie"].partition(";")[0]
            async with ada.http.get(url, headers={**at_a, "Cookie": cookie}) as answer:
                assert await answer.text() == "home of /w/ws_a"
            for host, code in (("ws-b.machines.localhost", 404), ("machines.localhost", 421), ("evil.example", 421)):
                async with ada.http.get(url, headers={"Host": host, "Cookie": cookie}) as answer:
                    assert answer.status == code
            async with ada.http.get(
                url, headers={**at_a, "Cookie": cookie, "Origin": "http://ws-b.machines.localhost"}
            ) as answer:
                assert answer.status == 403

    run(go())


def test_over_tls_no_sibling_host_can_set_the_cookie():
    origin = HostNames("https://{workspace}.machines.example.org").origin("ws_1")
    assert origin.text == "https://ws-1.machines.example.org"
    visit = Visit(workspace="ws_1", login="ada", expires_at=utc_now())
    cookie = set_session(Admission(secret="s" * 43, visit=visit), origin, 60)
    assert cookie == (f"__Host-atoll_session_ws_1={'s' * 43}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure")
    own = from_machine("a=1; Domain=example.org; Path=/; SameSite=None; Secure", origin, ("atoll",))
    assert own == "a=1; SameSite=None; Secure; Path=/"
    assert from_machine("a=1", origin, ("atoll",)) == "a=1"
    assert from_machine("=atoll_session_ws_1=x", origin, ("atoll",)) is None


@pytest.mark.parametrize("url", ["https://machines.example.org", "ftp://{workspace}.x", "https://{workspace}.x/y", "x"])
def test_addresses_that_cannot_be_used(url):
    with pytest.raises(InvalidInput):
        HostNames(url)


def test_each_machine_has_its_own_port_and_keeps_it(make_world):
    first = free_ports(3)
    world = make_world(ports=(first, first + 2))
    a, b = world.proxy.origin("ws_a"), world.proxy.origin("ws_b")
    assert a != b
    assert world.proxy.origin("ws_a") == a
    world.proxy.stop()
    world.proxy.start()
    assert (world.proxy.origin("ws_b"), world.proxy.origin("ws_a")) == (b, a)


def test_when_ports_are_used_up_the_longest_unused_goes_unless_somebody_is_there(make_world):
    first = free_ports(2)
    world = make_world(ports=(first, first + 1))

    async def go():
        async with Browser(world, "ws_a", "ada") as ada, ada.websocket("ws") as socket:
            b = world.proxy.origin("ws_b")
            assert world.proxy.origin("ws_c") == b
            await socket.send_str("x")
            assert await socket.receive_str() == "x"
            async with Browser(world, "ws_b", "bob") as bob, bob.websocket("ws"):
                with pytest.raises(LimitExceeded):
                    world.proxy.origin("ws_d")

    run(go())


def test_the_port_of_a_machine_that_is_gone_is_given_back(make_world):
    world = make_world(idle_seconds=0.1)
    port = int(world.proxy.origin("ws_a").rpartition(":")[2])
    other = int(world.proxy.origin("ws_b").rpartition(":")[2])
    world.platform.sockets["ws_a"] = None

    async def closed():
        for _ in range(60):
            await asyncio.sleep(0.05)
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
            except ConnectionRefusedError:
                return True
        return False

    assert run(closed())
    with socket.create_connection(("127.0.0.1", other)):
        pass


def test_a_proxy_that_does_not_run_has_no_origins():
    proxy = ProxyServer(Callbacks(resolve=lambda _: None, admit=None, authorise=None))
    with pytest.raises(Unavailable):
        proxy.origin("ws_a")
    proxy.start()
    with pytest.raises(InvalidInput):
        proxy.origin("../x")
    proxy.stop()
    proxy.stop()


def test_an_address_that_is_taken_is_told_at_the_start():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = Options(url="http://{workspace}.localhost", port=taken.getsockname()[1])
        proxy = ProxyServer(Callbacks(resolve=lambda _: None, admit=None, authorise=None), options)
        with pytest.raises(OSError, match="in use"):
            proxy.start()
        proxy.stop()


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("", "text/html", "no-store"),
        ("", "application/json", "no-store"),
        ("", "text/css; charset=utf-8", "private, no-cache"),
        ("no-store", "text/css", "no-store"),
        ("public", "text/css", "private"),
        ("Public, Max-Age=5", "text/css", "private, Max-Age=5"),
    ],
)
def test_what_browsers_keep(said, kind, told):
    assert cache_control(said, kind) == told


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_kept_for_a_machine_nobody_asks_for_is_given_back(make_world):
    world = make_world(url="http://{workspace}.machines.localhost", idle_seconds=0.3, believe_seconds=0)
    head = {"Host": "ws-a.machines.localhost"}
    base = f"http://127.0.0.1:{world.proxy.port}/w/ws_a/"

    async def go():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
            ticket = world.platform.ticket("ada", "ws_a")
            async with browser.get(f"{base}.atoll/enter?ticket={ticket}", headers=head) as answer:
                head["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
            before = open_files()
            async with browser.get(base, headers=head) as answer:
                assert answer.status == 200
            assert open_files() > before
            for _ in range(60):
                if open_files() <= before:
                    break
                await asyncio.sleep(0.05)
            assert open_files() <= before
            async with browser.get(base, headers=head) as answer:
                assert answer.status == 200

    run(go())
