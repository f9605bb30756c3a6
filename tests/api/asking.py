"""A dataset with rows that came in through the real admission, a project with a grant to it, and one without."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import contextmanager

import uvicorn

from atoll.wiring import platform

CONTRACT = """\
dataset: trial
title: A small trial
tables:
  visits:
    files: ["visits*.csv"]
    format: csv
    columns:
      VISIT: {treat: keep, type: integer}
      CODE: {treat: keep}
      WEIGHT: {treat: keep, type: number}
      SEEN: {treat: keep, type: date}
"""
ROWS = 1200
ODD = {3: "", 4: '"a ""quoted"", word"'}
VISITS = "VISIT,CODE,WEIGHT,SEEN\n" + "".join(
    f"{n},{ODD.get(n, f'c{n}')},{n / 4},2020-01-{n % 28 + 1:02}\n" for n in range(ROWS)
)
ALL = "select * from trial.visits order by visit"
FOREVER = "select a.visit from trial.visits a, trial.visits b, trial.visits c"


def fill(site):
    """`trial.visits` in the lake; `scientist` in `heart`, which is granted it; `other` in `lung`, which is not."""
    site.put_in_force(CONTRACT)
    deliver(site)
    site.add_person("other", {"scientist"})
    site.add_project("heart", "scientist")
    site.add_project("lung", "other")
    grant(site)
    return site


def deliver(site, name="visits.csv"):
    """The rows of `VISITS`, once more with another name."""
    content = VISITS.encode()
    file = {"name": name, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    delivery = site.post("/deliveries", "lab", source="lab", dataset="trial", files=[file]).json()["id"]
    assert site.send("PUT", f"/deliveries/{delivery}/files/0", "lab", content=content).status_code == 204
    assert site.post(f"/deliveries/{delivery}/submit", "lab").status_code == 202
    platform.runner(site.rooms).run_open()
    answer = site.get(f"/deliveries/{delivery}", "lab").json()
    assert answer["state"] == "committed", answer


def grant(site, **more):
    body = {"project": "heart", "dataset": "trial", "reason": "study", **more}
    answer = site.post("/grants", "steward", **body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@contextmanager
def served_by(app):
    """The app behind a real server; its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    app.state.stopping = lambda: server.should_exit
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/api/v1"
    server.should_exit = True
    thread.join()


def settled(site, query_id, who="scientist", seconds=30):
    """The query once it is over."""
    end = time.monotonic() + seconds
    while (record := site.get(f"/queries/{query_id}", who).json())["finished_at"] is None:
        assert time.monotonic() < end, record
        time.sleep(0.02)
    return record
