"""Text that would be markup, script or a template, put wherever somebody else chooses what is shown."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from tests.web.stage import PASSWORD, Stage, ask, asking, until

#: What a person sees of it.
MARK = "Quillfeather"
#: Fit for a name of a file, and short enough for every field.
IMAGE = "<img src=x onerror=alert(1)>"
NAME = f"{MARK}{IMAGE}{{{{7*7}}}}"
TEXT = f"{NAME}\"'><script>alert(2)</script>[x](javascript:alert(3))$t(signIn:title)${{7*7}}{{{{count}}}}"
PROJECT, DATASET, SOURCE, WHO = "hostile", "hostile", "hostile", "mallory"
CONTRACT = {
    "dataset": DATASET,
    "title": TEXT,
    "description": TEXT,
    "tables": {
        "visits": {
            "files": ["good*"],
            "format": "csv",
            "description": TEXT,
            "columns": {
                IMAGE: {"treat": "keep", "as": "odd", "description": TEXT, "reason": TEXT, "unit": NAME},
                "AGE": {"treat": "keep", "type": "integer", "reason": TEXT},
            },
        }
    },
}


def plant(stage: Stage, place: Path) -> Stage:
    """The same platform, with its ids of what an attacker named: a delivery, a proposal, queries, a machine."""
    platform = stage.platform
    with platform.as_("admin") as admin:
        admin.people.add(WHO, TEXT[:100], ["scientist"], password=PASSWORD)
        platform.tokens[WHO] = admin.tokens.create(NAME[:60], login=WHO)["token"]
        admin.projects.add(PROJECT, TEXT[:100])
        admin.projects.add_member(PROJECT, WHO)
        admin.sources.add(SOURCE, TEXT[:100], [DATASET])
        platform.tokens[SOURCE] = admin.sources.token(SOURCE, "test")["token"]
    with platform.as_("steward") as steward, platform.as_("reviewer") as reviewer:
        reviewer.contracts.approve(steward.contracts.propose(json.dumps(CONTRACT), note=TEXT)["id"], reason=TEXT)
        changed = json.dumps({**CONTRACT, "title": f"{TEXT} anew"})
        proposal = reviewer.contracts.propose(changed, note=TEXT)["id"]
        steward.grants.add(PROJECT, DATASET, reason=TEXT)
    value = TEXT.replace('"', '""')
    files = {
        f"good-{NAME}.csv": f'{IMAGE},AGE\n"{value}",41\n"{value}",{IMAGE}\n',
        f"good-columns-{NAME}.csv": f'{IMAGE},AGE,"{value}"\n1,2,3\n',
        f"{NAME}.csv": "of no table\n",
    }
    paths = [place / name for name in files]
    for path in paths:
        path.write_text(files[path.name])
    with platform.as_(SOURCE) as source:
        delivery = source.deliver(SOURCE, DATASET, paths)["id"]
        source.wait_for_delivery(delivery, timeout_seconds=60)
    with asking(stage, WHO) as http:
        wanted = {
            "/grant-requests": {"project": PROJECT, "dataset": DATASET, "purpose": TEXT},
            f"/saved-queries?project={PROJECT}": {"name": NAME[:60], "description": TEXT, "sql": f"SELECT 1 -- {TEXT}"},
            "/tokens": {"label": NAME[:60]},
        }
        for path, body in wanted.items():
            answer = http.post(path, json=body)
            assert answer.status_code in (200, 201), (path, answer.text)
        out = http.post("/airlock-requests", json={"project": PROJECT, "purpose": TEXT, "destination": TEXT})
        assert out.status_code in (200, 201), out.text
        launched = http.post(
            "/workspaces",
            json={
                "product": "tiny",
                "project": PROJECT,
                "name": "planted",
                "size": "t3.nano",
                "confirm_eur_per_hour": "0.0092",
                "parameters": {"greeting": IMAGE},
            },
        )
        assert launched.status_code in (201, 202), launched.text
        machine = launched.json()["workspace"]["id"]
        until(lambda: http.get(f"/workspaces/{machine}").json()["state"] == "running")
    more = {
        "airlock review": out.json()["id"],
        "kept query": ask(stage, f'SELECT odd AS "{IMAGE}{MARK}" FROM hostile.visits', WHO, PROJECT),
        "refused query": ask(stage, f'SELECT "{IMAGE}{MARK}" FROM hostile.visits', WHO, PROJECT),
    }
    return dataclasses.replace(
        stage,
        machine=machine,
        delivery=delivery,
        proposal=proposal,
        query=more["kept query"],
        more={**stage.more, **more},
    )
