"""What a page in one machine, or anywhere, can make a visitor's browser do to another."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from tests.proxy.conftest import Browser


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def status(request):
    async with request as answer:
        return answer.status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"])
def test_a_request_of_another_origin_reaches_nothing(world, method):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            before = len(world.service.seen)
            for origin in (world.proxy.origin("ws_b"), "null", "https://evil.example", ada.origin + "0"):
                assert await status(ada.send(method, "up", {"Origin": origin})) == 403
            for site in ("cross-site", "same-site"):
                assert await status(ada.send(method, "up", {"Sec-Fetch-Site": site})) == 403
            assert len(world.service.seen) == before
            assert await status(ada.send(method, "up", {"Origin": ada.origin, "Sec-Fetch-Site": "same-origin"})) == 200

    run(go())


def test_a_websocket_of_another_origin_does_not_open(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            for headers in (
                {"Origin": world.proxy.origin("ws_b")},
                {"Origin": "null"},
                {"Sec-Fetch-Site": "same-site"},
            ):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                    await ada.websocket("ws", headers)
                assert refusal.value.status == 403
            async with ada.websocket("ws", {"Origin": ada.origin}) as socket:
                await socket.send_str("x")
                assert await socket.receive_str() == "x"

    run(go())


def test_a_link_from_elsewhere_is_gone_on_with_by_the_visitor_only(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            clicked = {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
                "Accept": "text/html",
            }
            async with ada.get("lab/tree/a?x=1&y=%22%3E", clicked) as answer:
                assert answer.status == 403
                assert 'href="/w/ws_a/lab/tree/a?x=1&amp;y=%22%3E"' in await answer.text()
            framed = {**clicked, "Sec-Fetch-Dest": "iframe"}
            async with ada.get("lab", framed) as answer:
                assert answer.status == 403
                assert "href" not in await answer.text()

    run(go())


def test_another_host_name_leads_nowhere(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            for host in ("evil.example", "localhost", ada.origin.partition("://")[2] + "0"):
                assert await status(ada.get("", {"Host": host})) == 421

    run(go())


def test_every_answer_keeps_to_its_origin(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            async with ada.get("reach") as answer:
                got = answer.headers
            for name in ("Access-Control-Allow-Origin", "Clear-Site-Data", "Strict-Transport-Security", "Report-To"):
                assert name not in got
            assert got.getall("Referrer-Policy") == ["same-origin"]
            assert got["Cross-Origin-Resource-Policy"] == got["Cross-Origin-Opener-Policy"] == "same-origin"
            assert got["X-Content-Type-Options"] == "nosniff"
            assert got["Cache-Control"] == "private, max-age=60"
            own, added = got.getall("Content-Security-Policy")
            assert own == "report-uri /csp"
            assert f"frame-ancestors {ada.origin}" in added
            assert f"connect-src 'self' {ada.origin.replace('http', 'ws')} data: blob:" in added
            assert "sandbox" not in added
            async with ada.get("headers") as answer:
                assert answer.headers["Cache-Control"] == "no-store"

    run(go())


@pytest.mark.parametrize(
    "path",
    [
        "files/a.csv",
        "files/a.csv?_xsrf=1",
        "%66iles/a.csv",
        "./files/a.csv",
        "lab/../files/a.csv",
        "lab/%2e%2e/files/a.csv",
        "/files/a.csv",
        "Files/a.csv",
        "nbconvert/html/a.ipynb",
        "directories/home",
        "api/contents/a?x=1&download=1",
        "api/contents/a?%64ownload=true",
        "attached",
    ],
)
def test_downloads_are_refused_where_the_product_says_so(fresh, path):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            assert await status(ada.get(path)) == 200
            fresh.platform.controls["ws_a"] = {"downloads": False}
            fresh.proxy.forget("ws_a")
            async with ada.get(path) as answer:
                assert answer.status == 403
                assert b"rows" not in await answer.read()
            async with ada.get("lab") as answer:
                assert answer.status == 200
                policy = answer.headers.getall("Content-Security-Policy")[-1]
                assert "sandbox allow-scripts" in policy
                assert "allow-downloads" not in policy

    run(go())


def test_the_clipboard_is_kept_from_pages_where_the_product_says_so(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            async with ada.get("") as answer:
                assert "clipboard" not in answer.headers["Permissions-Policy"]
            fresh.platform.controls["ws_a"] = {"clipboard": False}
            fresh.proxy.forget("ws_a")
            async with ada.get("") as answer:
                assert "clipboard-read=(), clipboard-write=()" in answer.headers["Permissions-Policy"]

    run(go())
