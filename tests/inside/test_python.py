"""`import atoll` inside a machine."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from tests.inside.conftest import python

COUNT = "select count(*) as n, max(age) as oldest from ward.patients"


def test_sql_without_a_password_to_arrow_polars_and_pandas(gateway):
    done = python(
        gateway,
        f"""
import atoll
table = atoll.sql({COUNT!r})
print(type(table).__module__, table.to_pylist())
print(type(atoll.sql({COUNT!r}, to="polars")).__module__, atoll.sql({COUNT!r}, to="polars").rows())
frame = atoll.sql("select age, seen from ward.patients order by age", to="pandas")
print(type(frame).__module__, len(frame), frame["age"].tolist()[:2])
""",
    )
    assert done.returncode == 0, done.stderr
    arrow, polars, pandas = done.stdout.splitlines()
    assert arrow == "pyarrow.lib [{'n': 10, 'oldest': 30}]"
    assert polars.startswith("polars") and polars.endswith("[(10, 30)]")
    assert pandas.startswith("pandas") and pandas.endswith("10 [21, 22]")


def test_it_imports_nothing_heavy_and_nothing_of_the_platform(gateway):
    done = python(gateway, "import atoll\nprint(atoll.__file__)\nprint(sorted(sys.modules))")
    path, modules = done.stdout.splitlines()
    assert "python-package/atoll" in path
    for name in ("pyarrow", "polars", "pandas", "pydantic", "httpx"):
        assert f"'{name}'" not in modules


def test_a_result_of_many_batches_is_whole(gateway):
    done = python(gateway, 'import atoll\nprint(atoll.sql("select * from range(400000) t(n)").num_rows)')
    assert done.stdout.strip() == "400000", done.stderr


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("select * from ward.nothing", "statement_refused"),
        ("drop table ward.patients", "statement_refused"),
        ("select * from read_csv('/etc/passwd')", "statement_refused"),
    ],
)
def test_what_is_refused_says_why(gateway, statement, code):
    done = python(
        gateway,
        f"import atoll\ntry:\n    atoll.sql({statement!r})\nexcept atoll.AtollError as e:\n    print(e.code, '|', e)",
    )
    found, _, message = done.stdout.partition(" | ")
    assert found == code, done.stderr
    assert len(message) > 20


def test_another_project_is_refused_by_the_gateway(gateway):
    script = f"import atoll\ntry:\n    atoll.sql({COUNT!r})\nexcept atoll.AtollError as e:\n    print(e.code)"
    assert python(gateway, script, ATOLL_PROJECT="lung").stdout.strip() == "not_permitted"
    assert python(gateway, f"import atoll\nprint(atoll.sql({COUNT!r}).num_rows)", ATOLL_PROJECT="heart").stdout == "1\n"


def broken(answer: bytes) -> tuple[str, threading.Thread]:
    """A server that gives one answer, and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listening, listening.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}", thread


def test_an_answer_that_breaks_off_is_no_result(gateway):
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("n", pa.int64())])) as writer:
        writer.write_batch(pa.record_batch({"n": list(range(100))}))
    # Without the mark that ends the stream.
    body = sink.getvalue().to_pybytes()[:-8]
    for cut in (body, body[: len(body) // 2]):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        url, thread = broken(head + f"{len(cut):x}\r\n".encode() + cut + b"\r\n")
        script = "import atoll\ntry:\n    print(atoll.sql('x'))\nexcept atoll.AtollError as e:\n    print(e.code, e)"
        done = python(url, script)
        thread.join()
        assert done.stdout.startswith("unavailable The answer broke off"), done.stdout + done.stderr


def test_without_a_gateway_it_is_told():
    script = "import atoll\ntry:\n    atoll.sql('select 1')\nexcept atoll.AtollError as e:\n    print(e.code, e)"
    assert python("http://127.0.0.1:9", script).stdout.startswith("unavailable The platform cannot be reached")


def test_mounted_datasets_and_their_files(tmp_path):
    place = tmp_path / "ward" / "patients"
    place.mkdir(parents=True)
    (place / "00000.parquet").touch()
    (tmp_path / "ward" / "manifest.json").write_text(json.dumps({"dataset": "ward", "version": "ward@1", "tables": []}))
    script = """
import atoll
print(atoll.datasets()[0]["version"], len(atoll.files("ward", "patients")))
try:
    atoll.files("ward", "other")
except atoll.AtollError as e:
    print(e.code)
"""
    assert python("", script, ATOLL_DATA=str(tmp_path)).stdout == "ward@1 1\nnot_found\n"


def test_files_are_put_into_the_airlock_from_inside(gateway, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("group,n\nA,120\n")
    asked = f"""
import runpy
sys.argv = ["atoll", "airlock", "request", {str(table)!r}, "--purpose", "a paper", "--destination", "a journal"]
runpy.run_module("atoll", run_name="__main__")
"""
    done = python(gateway, asked)
    # The machine of these tests is on no record, and a request names only a workspace that is.
    assert done.returncode == 1
    assert "no workspace of yours" in done.stderr
