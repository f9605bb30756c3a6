"""The main job on real files, told as it happens: `make demo`.

Starts the platform in a home of its own, plays each person's part through the `atoll`
command, and prints an account with figures. Every claim it prints is checked; the
first that does not hold ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from demo_stage import Stage, ending, platform

EXAMPLES = Path(__file__).resolve().parent
HOME = EXAMPLES.parent / ".atoll-demo"
DATASETS = ("synthea", "sdtm", "fhir")
#: What the reviewed change of a contract does: old text and new, in the rule of patients' GENDER.
MENDED = (
    "        values: [M, F]\n        reason: Two values; needed by every analysis.",
    "        values: [M, F, unknown]\n        reason: Three values; needed by every analysis.",
)
SOURCES = {"synthea": "county-hospital", "sdtm": "trial-sponsor", "fhir": "clinic-network"}


def main() -> int:
    """Run the demo; 0 when every claim held."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--once", action="store_true", help="exit when the account is told")
    arguments.add_argument("--port", type=int, default=0, help="port of the platform, 0 for a free one")
    options = arguments.parse_args()
    started = time.monotonic()
    shutil.rmtree(HOME, ignore_errors=True)
    with platform(HOME, options.port) as running:
        stage = Stage(running, HOME)
        people(stage)
        contracts(stage)
        deliveries(stage)
        faulty(stage)
        mended(stage)
        queries(stage)
        refusals(stage)
        machines(stage)
        ledger(stage)
        secrecy(stage)
        summary(stage, time.monotonic() - started)
        if not options.once:
            ending(running, HOME, stage.passwords)
    return 0


def people(stage: Stage) -> None:
    """The administrator makes the people, the project and the sources."""
    stage.chapter("Who takes part", "The first start made the keys and an administrator. Each person signs in.")
    for login, role in (
        ("steward", "steward"),
        ("reviewer", "steward"),
        ("scientist", "scientist"),
        ("auditor", "auditor"),
    ):
        stage.person(login, role)
    stage.run("admin", "project add heart-study --title 'Heart failure study'")
    stage.run("admin", "project member add heart-study scientist")
    for dataset, source in SOURCES.items():
        stage.run("admin", f"source add {source} --title 'Delivers {dataset}' --dataset {dataset}")
        stage.source(source)


def contracts(stage: Stage) -> None:
    """A steward checks, reads and proposes a contract for each dataset; another puts it in force."""
    stage.chapter(
        "What may enter, and how",
        "A contract says what is done to every column; what it does not name does not enter.",
    )
    for dataset in DATASETS:
        path = EXAMPLES / dataset / "contract.yaml"
        stage.run("steward", f"contract check {path}")
        told = stage.json("steward", f"contract explain {path}")
        treated = stage.count_treatments(told)
        stage.say(f"{dataset}: " + ", ".join(f"{n} columns {what}" for what, n in sorted(treated.items())))
        proposed = stage.json("steward", ["contract", "propose", str(path), "-m", f"First contract of {dataset}"])
        stage.refused("steward", ["contract", "approve", proposed["id"]], "nobody reviews their own proposal")
        stage.run("reviewer", f"contract approve {proposed['id']} --reason 'Read with the privacy officer'")
    path = EXAMPLES / "synthea" / "contract.yaml"
    stage.excerpt("steward", f"contract explain {path} --table patients", lines=40)


def deliveries(stage: Stage) -> None:
    """Each source delivers its real files; delivering them again changes nothing."""
    stage.chapter("The files arrive", "Verified by SHA-256, de-identified, committed as one version each.")
    for dataset, source in SOURCES.items():
        stage.deliver(source, dataset, sorted((EXAMPLES / dataset / "data").iterdir()))
    again = stage.deliver("trial-sponsor", "sdtm", sorted((EXAMPLES / "sdtm" / "data").iterdir()))
    stage.claim(
        again["id"] == stage.delivered["sdtm"]["id"] and len(stage.versions("sdtm")) == 1,
        "The same delivery twice is one delivery and one version.",
    )
    stage.run("steward", "dataset list")


def faulty(stage: Stage) -> None:
    """Planted bad rows go to quarantine with place and rule; the good rows enter."""
    stage.chapter("Bad rows", "Files with planted faults: good rows enter, bad ones wait in quarantine, masked here.")
    for dataset, source in SOURCES.items():
        files = sorted((EXAMPLES / dataset / "faulty").iterdir())
        delivery = stage.deliver(source, dataset, files, key=f"{dataset} faulty", fails=None)
        outcome = delivery["outcome"]
        whole = [f["name"] for f in outcome["files"] if not f["accepted"]]
        stage.claim(
            outcome["rows_quarantined"] > 0,
            f"{dataset}: {outcome['rows_quarantined']} rows are held"
            + (f", and the file {whole[0]} whole: a column that the contract does not name." if whole else "."),
        )
        stage.excerpt("steward", f"delivery show {delivery['id']} --rows", lines=10)


def mended(stage: Stage) -> None:
    """A reviewed change of the contract lets in what was held for want of it, once."""
    stage.chapter("Held, mended, admitted", "A contract is changed by two people; what was held is then tried again.")
    delivery = stage.delivered["synthea faulty"]
    text = (EXAMPLES / "synthea" / "contract.yaml").read_text()
    changed = HOME / "synthea-mended.yaml"
    changed.write_text(text.replace(*MENDED))
    proposed = stage.json("steward", ["contract", "propose", str(changed), "-m", "The hospital writes `unknown` too"])
    stage.excerpt("reviewer", f"contract review {proposed['id']}", lines=30)
    stage.run("reviewer", f"contract approve {proposed['id']} --reason 'No person is told by it'")
    before, versions = delivery["outcome"], len(stage.versions("synthea"))
    after = stage.json("steward", ["delivery", "replay", delivery["id"]])["outcome"]
    stage.claim(
        after["rows_committed"] == before["rows_committed"] + 1
        and after["rows_in"] == after["rows_committed"] + after["rows_quarantined"]
        and len(stage.versions("synthea")) == versions + 1,
        f"The row that was held for it is in the lake; {after['rows_quarantined']} others stay held.",
    )
    stage.refused("steward", ["delivery", "replay", delivery["id"]], "the contract in force is the one that held them")


def queries(stage: Stage) -> None:
    """Without a grant the table is not there; with one, SQL answers."""
    stage.chapter("SQL under a grant", "Nothing is readable until a steward grants it to a project.")
    question = "SELECT count(*) AS patients FROM synthea.patients"
    stage.refused("scientist", ["sql", question, "--project", "heart-study"], "no grant yet: refused")
    stage.run(
        "steward",
        "grant add --project heart-study --dataset synthea --reason 'Protocol 2026-01' "
        "--table patients --table conditions --table observations",
    )
    stage.run("steward", "grant add --project heart-study --dataset sdtm --reason 'Protocol 2026-01'")
    stage.run("steward", "grant add --project heart-study --dataset fhir --reason 'Protocol 2026-01'")
    for sql in QUESTIONS:
        stage.ask("scientist", sql)


def refusals(stage: Stage) -> None:
    """What must not work does not."""
    stage.chapter("What is refused", "The guard reads DuckDB's own parse tree; the engine is locked besides.")
    for sql, why in (
        ("SELECT * FROM synthea.claims", "a table outside the grant"),
        ("SELECT * FROM read_csv('/etc/passwd')", "a file"),
        ("SELECT * FROM '/etc/passwd'", "a file as a table"),
        ("COPY (SELECT 1) TO '/tmp/out.csv'", "a statement that writes"),
        ("SELECT * FROM duckdb_settings()", "the system's own tables"),
    ):
        stage.refused("scientist", ["sql", sql, "--project", "heart-study"], why)
    stage.refused("auditor", ["sql", "SELECT 1", "--project", "heart-study"], "an auditor reads no data")
    stage.refused("county-hospital", ["dataset", "list"], "a source can only deliver")


def machines(stage: Stage) -> None:
    """A scientist starts a machine by themselves, works on the granted data, and gives it back."""
    stage.chapter("A machine of one's own", "Launched from the catalog, without a network, on the granted data.")
    if lacking := stage.host_lacks():
        stage.say(f"Left out: this host cannot run sandboxes. {lacking}")
        return
    stage.run("scientist", "product list")
    stage.run("scientist", "workspace create jupyter --project heart-study --name lab --size t3.medium --dry-run")
    stage.run("scientist", "workspace create jupyter --project heart-study --name lab --size t3.medium --yes --wait")
    kernel, (python, network, package, push) = stage.cells("python3", PYTHON_CELLS)
    stage.claim(python.endswith("patients"), f"Python reads the granted Parquet and asks governed SQL: {python}")
    stage.claim("unreachable" in network, "No way out: an address on the internet and the host's own are unreachable.")
    stage.claim("Successfully installed" in package, f"pip installs through the mirror: {package}")
    stage.claim("main" in push, f"git pushes to the project's repository: {push}")
    _, (r,) = stage.cells("ir", R_CELLS)
    stage.claim("patients" in r, f"R reads the same data: {r}")
    stage.run("scientist", "workspace hibernate lab --wait", lines=9)
    stage.run("scientist", "workspace wake lab --wait", lines=9)
    _, (kept,) = stage.cells("python3", ("print(f'still {answer}')",), known=kernel)
    stage.claim(kept == "still 42", "Awake again, the kernel's variables are as they were.")
    stage.run("scientist", "workspace terminate lab --yes --wait", lines=9)
    stage.wait_for_cost("machine_seconds")


def ledger(stage: Stage) -> None:
    """Flows, audit and money."""
    stage.chapter("On record", "Every flow, every act, every cent.")
    stage.excerpt("auditor", "flows sdtm", lines=24)
    stage.excerpt("auditor", "audit tail", lines=24)
    stage.run("auditor", "audit verify")
    stage.run("auditor", "cost report --by user")
    stage.run("auditor", "cost report --by dataset")
    stage.run("auditor", "cost report --by workspace")


def secrecy(stage: Stage) -> None:
    """Identifying values of the files are nowhere that Atoll wrote but in quarantine."""
    stage.chapter("Nothing identified outside quarantine", "The values of the files, looked for in every byte kept.")
    stage.search(EXAMPLES)


def summary(stage: Stage, seconds: float) -> None:
    """The account in one table."""
    stage.chapter("In figures", f"The whole took {seconds:.0f} s.")
    stage.figures()


QUESTIONS = (
    "SELECT gender, race, count(*) AS patients FROM synthea.patients GROUP BY ALL ORDER BY patients DESC",
    "SELECT c.description, count(DISTINCT patient) AS patients FROM synthea.conditions c "
    "JOIN synthea.patients USING (patient) GROUP BY ALL ORDER BY patients DESC, 1 LIMIT 5",
    "SELECT dm.arm, count(DISTINCT ae.usubjid) AS subjects, count(*) AS events FROM sdtm.ae "
    "JOIN sdtm.dm USING (usubjid) GROUP BY ALL ORDER BY events DESC",
    "SELECT p.birth_year, count(*) AS procedures FROM fhir.procedure JOIN fhir.patient p USING (patient) "
    "GROUP BY ALL ORDER BY procedures DESC LIMIT 5",
)


PYTHON_CELLS = (
    """
answer = 42
import atoll, polars
read = polars.read_parquet("/data/synthea/patients/*.parquet").height
asked = atoll.sql("SELECT count(*) AS patients FROM synthea.patients").to_pylist()[0]["patients"]
print(read, "=", asked, "patients")
""",
    """
import socket
for place in ("1.1.1.1", "127.0.0.1"):
    try:
        socket.create_connection((place, 8470 if place == "127.0.0.1" else 80), 3)
        print(place, "REACHED")
    except OSError:
        print(place, "unreachable")
""",
    """
import subprocess
def sh(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()
print(sh("pip install --no-input cowsay")[-1])
""",
    """
print(sh(
    "mkdir -p analysis && cd analysis && git init -q -b main && echo '# Heart failure' > README.md && git add . "
    "&& git commit -qm 'Begin' && git push http://127.0.0.1:3141/git/heart-study/analysis.git main"
)[-1])
""",
)
R_CELLS = (
    """
suppressMessages(library(dplyr))
told <- atoll_sql("SELECT gender FROM synthea.patients")
cat(nrow(told), "patients,", told %>% filter(gender == "F") %>% nrow(), "women\n")
""",
)


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "120")
    sys.exit(main())
