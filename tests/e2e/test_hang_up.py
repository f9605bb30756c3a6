"""A caller who hangs up before the first rows frees the query's place at once."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

SLOW = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(100000) b"


def test_a_caller_who_hangs_up_frees_the_place(platform):
    platform.settings["ATOLL_QUERY_CONCURRENCY"] = "1"
    platform.stop()
    platform.start()
    platform.person("scientist", "scientist")
    with platform.as_("admin") as admin:
        admin.projects.add("study", "Study")
        admin.projects.add_member("study", "scientist")
    body = json.dumps({"project": "study", "sql": SLOW, "format": "json"}).encode()
    where = urlsplit(platform.url)
    with socket.create_connection((where.hostname, where.port)) as caller:
        caller.sendall(
            b"POST /api/v1/queries HTTP/1.1\r\nHost: atoll\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer " + platform.tokens["scientist"].encode() + b"\r\n"
            b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
        )
        time.sleep(2)
    started = time.monotonic()
    with platform.as_("scientist") as scientist:
        assert scientist.sql("study", "SELECT 1 AS one").to_pylist() == [{"one": 1}]
        assert time.monotonic() - started < 10, "the place was free"
        slow = next(q for q in scientist.queries.list("study") if q["sql"] == SLOW)
    assert slow["error_code"] in ("conflict", "cancelled")
    assert slow["finished_at"] is not None
