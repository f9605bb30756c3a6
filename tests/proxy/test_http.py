"""HTTP through the proxy comes out as it went in."""

from __future__ import annotations

import asyncio
import gzip
import hashlib

import aiohttp
import pytest
from tests.proxy.conftest import LARGE_BYTES, Browser


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def test_a_page_with_its_status_and_headers(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            async with ada.get("") as answer:
                assert (answer.status, await answer.text()) == (200, "home of /w/ws_a")
            for code in (201, 204, 304, 404, 418, 500):
                async with ada.get(f"status?code={code}") as answer:
                    assert (answer.status, answer.headers["X-Machine"]) == (code, "yes")

    run(go())


@pytest.mark.parametrize(
    "path",
    [
        "a%2Fb/%41%20c/%C3%A9",
        "x//y/;p=1,2?q=%20+&b=a%26c&&e",
        "tree/..%2F..%2Fetc",
        "lab/tree/%E2%82%AC%23%3F?x=%23",
        "100%25",
        "a?x=%zz&y=%",
    ],
)
def test_encoded_paths_and_queries_are_passed_as_sent(world, path):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada, ada.get(path) as answer:
            assert (await answer.json())["raw"] == f"/w/ws_a/{path}"

    run(go())


def test_large_bodies_both_ways_without_being_held(world):
    import resource

    async def go():
        block = b"x" * 2**20
        digest = hashlib.sha256(block * 200).hexdigest()

        async def body():
            for _ in range(200):
                yield block

        async with Browser(world, "ws_a", "ada") as ada:
            async with ada.send("PUT", "up", data=body()) as answer:
                told = await answer.json()
                assert (told["size"], told["sha256"]) == (LARGE_BYTES, digest)
                assert told["headers"]["Transfer-Encoding"] == "chunked"
            async with ada.get("down") as answer:
                assert answer.headers["Content-Length"] == str(LARGE_BYTES)
                size = 0
                async for chunk in answer.content.iter_any():
                    size += len(chunk)
                assert size == LARGE_BYTES

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run(go())
    # 200 MiB for the digest's own sake; what the proxy holds comes on top.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024


def test_a_body_of_known_length_keeps_it(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            async with ada.send("POST", "up", data=b"x" * 100_000) as answer:
                told = await answer.json()
                assert told["size"] == 100_000
                assert told["headers"]["Content-Length"] == "100000"
                assert "Transfer-Encoding" not in told["headers"]
            async with ada.send("POST", "up") as answer:
                assert (await answer.json())["size"] == 0

    run(go())


def test_events_arrive_when_they_are_sent_and_a_visitor_who_leaves_ends_them(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            answer = await ada.get("events")
            assert answer.headers["Content-Type"] == "text/event-stream"
            first = await asyncio.wait_for(answer.content.readany(), 2)
            assert first == b"data: 0\n\n"
            answer.close()
        assert await asyncio.to_thread(fresh.service.gone.wait, 3)

    run(go())


def test_gzip_is_untouched_both_ways(world):
    squeezed = gzip.compress(b"squeezed " * 100, mtime=0)

    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            async with ada.get("zipped", {"Accept-Encoding": "gzip"}) as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                assert await answer.read() == squeezed
            async with ada.send("POST", "up", {"Content-Encoding": "gzip"}, data=squeezed) as answer:
                told = await answer.json()
                assert told["sha256"] == hashlib.sha256(squeezed).hexdigest()
                assert told["headers"]["Content-Encoding"] == "gzip"

    run(go())


def test_redirects_and_head(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            async with ada.get("moved") as answer:
                assert (answer.status, answer.headers["Location"]) == (302, "/w/ws_a/lab?next=%2Fa%20b")
            async with ada.send("HEAD", "down?size=12345") as answer:
                assert (answer.status, answer.headers["Content-Length"]) == (200, "12345")
                assert await answer.read() == b""
            async with ada.http.get(f"{ada.origin}/", allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (308, "/w/ws_a/")

    run(go())


def test_an_answer_cut_short_is_not_taken_for_whole(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            with pytest.raises(aiohttp.ClientError):
                async with ada.get("broken") as answer:
                    await answer.read()

    run(go())


def test_headers_of_one_connection_are_not_passed_on(world):
    async def go():
        async with Browser(world, "ws_a", "ada") as ada:
            asked = {
                "Connection": "keep-alive, X-Once",
                "X-Once": "1",
                "TE": "trailers",
                "X-Kept": "1",
                "Accept": "a/b",
            }
            async with ada.get("headers", asked) as answer:
                told = await answer.json()
            assert "X-Once" not in told
            assert "TE" not in told
            assert (told["X-Kept"], told["Accept"]) == (["1"], ["a/b"])

    run(go())


def test_a_machine_that_does_not_answer(fresh):
    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            fresh.service.stop()
            async with ada.get("", {"Accept": "text/html", "Accept-Language": "fr"}) as answer:
                page = await answer.text()
                assert answer.headers["Content-Language"] == "fr"
                assert '<html lang="fr">' in page
                assert "Le service de cette machine ne répond pas." in page
            async with ada.get("", {"Accept": "text/html"}) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
                assert "text/html" in answer.headers["Content-Type"]
            fresh.service.start()
            async with ada.get("") as answer:
                assert answer.status == 200
            fresh.platform.sockets["ws_a"] = None
            await asyncio.sleep(0.3)
            async with ada.get("") as answer:
                assert answer.status == 503
                assert (await answer.json())["code"] == "unavailable"

    run(go())


def test_a_link_in_the_place_of_the_socket_is_not_followed(fresh):
    """What is inside a machine owns the socket's directory: it may point to its neighbour's socket."""

    async def go():
        async with Browser(fresh, "ws_a", "ada") as ada:
            fresh.service.stop()
            fresh.service.socket.symlink_to(fresh.services["ws_b"].socket)
            async with ada.get("") as answer:
                assert answer.status == 503
            fresh.service.socket.unlink()
            fresh.service.socket.write_text("a file")
            async with ada.get("") as answer:
                assert answer.status == 503
            assert fresh.services["ws_b"].seen == []

    run(go())
