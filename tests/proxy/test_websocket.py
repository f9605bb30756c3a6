"""WebSockets through the proxy."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import WSMsgType
from tests.proxy.conftest import Browser


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def test_text_binary_large_frames_and_pings(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada, ada.websocket("ws", autoping=False) as socket:
            await socket.send_str("grüße €")
            assert await socket.receive_str() == "grüße €"
            await socket.send_str("")
            assert await socket.receive_str() == ""
            large = bytes(range(256)) * (20 * 2**20 // 256)
            await socket.send_bytes(large)
            assert await socket.receive_bytes() == large
            await socket.ping(b"there?")
            pong = await socket.receive()
            assert (pong.type, pong.data) == (WSMsgType.PONG, b"there?")

    run(go())


@pytest.mark.parametrize(
    ("offered", "taken"), [(["v1.kernel"], "v1.kernel"), (["x", "other"], "other"), (["x"], None), ([], None)]
)
def test_the_machine_chooses_the_subprotocol(world, offered, taken):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada, ada.websocket("ws", protocols=offered) as socket:
            assert socket.protocol == taken

    run(go())


def test_close_codes_both_ways(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            for code, reason in ((1000, "done"), (1001, "away"), (3000, "own"), (4999, "last")):
                async with ada.websocket("ws") as socket:
                    await socket.send_str(f"close {code} {reason}")
                    message = await socket.receive()
                    assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, code, reason)
            async with ada.websocket("ws") as socket:
                await socket.close(code=4001, message=b"bye")
            for _ in range(50):
                if fresh.service.closed_with[-1] == 4001:
                    break
                await asyncio.sleep(0.05)
            assert fresh.service.closed_with[-1] == 4001

    run(go())


def test_a_refused_handshake_keeps_its_status(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await ada.websocket("ws-refused")
            assert refusal.value.status == 403
            assert refusal.value.headers["X-Machine"] == "refused"
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await ada.websocket("status?code=404")
            assert refusal.value.status == 404
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await ada.websocket("headers")
            assert refusal.value.status == 200

    run(go())


def test_a_machine_that_breaks_off_is_seen_to(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada, ada.websocket("ws") as socket:
            await socket.send_str("die")
            message = await socket.receive(timeout=5)
            assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR)

    run(go())


def test_a_visitor_who_vanishes_is_told_to_the_machine(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            socket = await ada.websocket("ws")
            await socket.send_str("hello")
            await socket.receive()
            socket._response.connection.transport.abort()
            assert await asyncio.to_thread(fresh.service.gone.wait, 5)
            for _ in range(60):
                if fresh.metric("atoll_proxy_websockets") == 0:
                    return
                await asyncio.sleep(0.05)
            raise AssertionError("The proxy keeps what nobody uses.")

    run(go())


def test_a_visitor_who_lost_the_right_is_cut_off_within_seconds(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            socket = await ada.websocket("ws")
            events = await ada.get("events")
            await asyncio.sleep(1)
            await socket.send_str("still there")
            assert await socket.receive_str() == "still there"
            fresh.platform.may["ws_a"] = set()
            message = await socket.receive(timeout=3)
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)
            with pytest.raises(aiohttp.ClientError):
                while await asyncio.wait_for(events.content.readany(), 3):
                    pass
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await ada.websocket("ws")
            assert refusal.value.status == 403
        assert fresh.metric("atoll_proxy_cut_total") == 2

    run(go())


def test_open_connections_outlive_a_store_that_is_away_for_a_moment(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada, ada.websocket("ws") as socket:
            fresh.platform.away = True
            await asyncio.sleep(1)
            async with ada.get("") as answer:
                assert answer.status == 503
            await socket.send_str("still there")
            assert await socket.receive_str() == "still there"

    run(go())


def test_but_not_for_long(make_world):
    world = make_world(blind_seconds=0.5)

    async def go():
        async with Browser(world, "ws_a", "ada") as ada, ada.websocket("ws") as socket:
            world.platform.away = True
            message = await socket.receive(timeout=5)
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)

    run(go())


def test_a_browser_that_answers_no_ping_is_gone(make_world):
    world = make_world(heartbeat_seconds=0.4)

    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            socket = await ada.websocket("ws", autoping=False)
            assert world.proxy.activity("ws_a").connections == 1
            assert await asyncio.to_thread(world.service.gone.wait, 5)
            await asyncio.sleep(0.5)
            assert world.proxy.activity("ws_a").connections == 0
            await socket.close()

    run(go())
