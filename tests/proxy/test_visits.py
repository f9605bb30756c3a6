"""Who gets in, with what, and what of the platform reaches a machine."""

from __future__ import annotations

import asyncio
import secrets

import aiohttp
import pytest
from tests.proxy.conftest import Browser


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def status(request):
    async with request as answer:
        return answer.status


def test_nobody_gets_in_without_a_visit(world):
    async def go():
        async with Browser(world, "ws_a", None) as stranger:
            before = len(world.service.seen)
            assert await status(stranger.get("")) == 401
            for cookie in (secrets.token_urlsafe(32), "", "x", "x" * 44, "x" * 42 + "é"):
                assert await status(stranger.get("", {"Cookie": f"atoll_session_ws_a={cookie}"})) == 401
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await stranger.websocket("ws")
            assert refusal.value.status == 401
            async with stranger.get("", {"Accept": "text/html"}) as answer:
                assert "<h1>You are not signed in" in await answer.text()
            assert len(world.service.seen) == before

    run(go())


def test_a_ticket_is_good_once_and_for_one_machine(world):
    async def go():
        async with Browser(world, "ws_a", None) as ada, Browser(world, "ws_b", None) as other:
            ticket = world.platform.ticket("ada", "ws_a")
            assert await status(other.get(f".atoll/enter?ticket={ticket}")) == 401
            # Shown at the wrong machine it is spent as well.
            assert await status(ada.get(f".atoll/enter?ticket={ticket}")) == 401
            ticket = world.platform.ticket("ada", "ws_a")
            assert await status(ada.send("HEAD", f".atoll/enter?ticket={ticket}")) == 404
            assert await status(ada.get(f".atoll/enter?ticket={ticket}")) == 200
            assert await status(ada.get(f".atoll/enter?ticket={ticket}")) == 401
            for ticket in ("", "x", secrets.token_urlsafe(32)):
                assert await status(ada.get(f".atoll/enter?ticket={ticket}")) == 401

    run(go())


def test_the_entrance_sets_a_strict_cookie_and_goes_on_by_a_step_of_its_own(world):
    async def go():
        async with Browser(world, "ws_a", None) as ada:
            ticket = world.platform.ticket("ada", "ws_a")
            elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
            async with ada.get(f".atoll/enter?ticket={ticket}", elsewhere) as answer:
                assert answer.status == 200
                (cookie,) = answer.headers.getall("Set-Cookie")
                parts = {part.strip() for part in cookie.split(";")[1:]}
                assert {"Path=/w/ws_a/", "HttpOnly", "SameSite=Strict"} < parts
                assert not any(part.startswith(("Domain", "Secure")) for part in parts)
                assert 3500 < int(next(part for part in parts if part.startswith("Max-Age")).partition("=")[2]) <= 3600
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert answer.headers["Cache-Control"] == "no-store"
                assert 'url=/w/ws_a/"' in await answer.text()
            ada.cookie = cookie.partition(";")[0]
            # Loaded again with the cookie, the spent ticket is no matter.
            async with ada.get(f".atoll/enter?ticket={ticket}") as answer:
                assert answer.status == 200
                assert "Set-Cookie" not in answer.headers

    run(go())


def test_the_cookie_of_one_machine_opens_no_other(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada, Browser(world, "ws_b", None) as at_b:
            secret = ada.cookie.partition("=")[2]
            before = len(world.services["ws_b"].seen)
            for name in ("atoll_session_ws_a", "atoll_session_ws_b"):
                assert await status(at_b.get("", {"Cookie": f"{name}={secret}"})) == 401
            # Nor does the origin of one machine lead to another.
            url = f"{ada.origin}/w/ws_b/"
            assert await status(ada.http.get(url, headers={"Cookie": ada.cookie})) == 404
            assert len(world.services["ws_b"].seen) == before

    run(go())


def test_another_person_is_refused(fresh):
    async def go():
        fresh.platform.may["ws_a"] = {"ada", "eve"}
        async with Browser(fresh, "ws_a", "eve") as eve:
            assert await status(eve.get("")) == 200
            fresh.platform.may["ws_a"] = {"ada"}
            await asyncio.sleep(0.3)
            assert await status(eve.get("")) == 403
        async with Browser(fresh, "ws_a", None) as eve:
            ticket = fresh.platform.ticket("eve", "ws_a")
            assert await status(eve.get(f".atoll/enter?ticket={ticket}")) == 403

    run(go())


def test_a_verdict_is_asked_for_each_time_when_nothing_is_believed(make_world):
    world = make_world(believe_seconds=0)

    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            assert await status(ada.get("")) == 200
            world.platform.may["ws_a"] = set()
            assert await status(ada.get("")) == 403

    run(go())


def test_many_requests_at_once_ask_the_platform_once(make_world):
    world = make_world(believe_seconds=60, recheck_seconds=60)

    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            asked = world.platform.asked
            assert set(await asyncio.gather(*(status(ada.get("")) for _ in range(50)))) == {200}
            assert world.platform.asked - asked == 1
            world.platform.may["ws_a"] = set()
            await asyncio.to_thread(world.proxy.forget, "ws_a")
            assert await status(ada.get("")) == 403

    run(go())


def test_leaving_ends_the_visit(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            foreign = {"Origin": fresh.proxy.origin("ws_b")}
            assert await status(ada.send("POST", ".atoll/leave", foreign)) == 404
            async with ada.send("POST", ".atoll/leave", {"Origin": ada.origin}) as answer:
                assert answer.status == 204
                assert "Max-Age=0" in answer.headers["Set-Cookie"]
            assert await status(ada.get("")) == 401

    run(go())


def test_nothing_of_the_platform_reaches_a_machine(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            asked = {
                "Authorization": "Bearer atoll_secret",
                "Proxy-Authorization": "Basic secret",
                "Cookie": "_xsrf=2|a; atoll_session=secret; __Host-atoll_sid=secret; Atoll_x=secret; theme=a b",
                "X-Forwarded-For": "10.0.0.1",
                "Forwarded": "for=10.0.0.1",
                "X-Atoll-User": "root",
            }
            async with ada.get("headers", asked) as answer:
                told = await answer.json()
        assert told["Cookie"] == ["_xsrf=2|a; theme=a b"]
        assert "secret" not in str(told)
        assert ada.cookie.partition("=")[2] not in str(told)
        assert {name for name in told if name.lower().startswith(("x-", "forwarded"))} == {
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
        }
        # The service compares Origin with Host by itself.
        assert told["Host"] == [ada.origin.partition("://")[2]] == told["X-Forwarded-Host"]

    run(go())


def test_repeated_cookies_of_a_machine_stay_at_the_machine(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada, ada.get("cookies") as answer:
            assert answer.headers.getall("Set-Cookie") == [
                "_xsrf=2|abc; Path=/w/ws_a/",
                "deep=1; HttpOnly; Path=/w/ws_a/deep/",
                "bare=a b; Path=/w/ws_a/",
                "climb=1; Path=/w/ws_a/",
            ]

    run(go())


def test_a_false_cookie_beside_the_true_one_locks_nobody_out(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            tossed = f"atoll_session_ws_a={secrets.token_urlsafe(32)}; atoll_session_ws_a=short"
            assert await status(ada.get("", {"Cookie": tossed})) == 200

    run(go())


def test_activity_tells_polls_from_people(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            assert fresh.proxy.activity("ws_a").request_at is None
            await status(ada.get("api/kernels"))
            seen = fresh.proxy.activity("ws_a")
            assert seen.request_at is not None
            assert seen.action_at is None
            async with ada.websocket("ws") as socket:
                opened = fresh.proxy.activity("ws_a")
                assert (opened.connections, opened.action_at) == (1, None)
                await socket.send_str("x")
                await socket.receive()
                first = fresh.proxy.activity("ws_a").action_at
                assert first is not None
                await asyncio.sleep(0.05)
            await status(ada.send("POST", "up", data=b"x"))
            assert fresh.proxy.activity("ws_a").action_at > first
            await asyncio.sleep(5.5)
            assert fresh.platform.told["ws_a"].action_at is not None
            assert "ws_b" not in fresh.platform.told

    run(go())


def test_figures(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            await status(ada.get(""))
            await status(ada.get("status?code=404"))
            ada.cookie = None
            await status(ada.get(""))

    run(go())
    assert fresh.metric("atoll_proxy_requests_total", status="2xx") == 1
    assert fresh.metric("atoll_proxy_requests_total", status="4xx") == 1
    assert fresh.metric("atoll_proxy_refused_total", reason="not_authenticated") == 1
    assert fresh.metric("atoll_proxy_visits_total") == 1
