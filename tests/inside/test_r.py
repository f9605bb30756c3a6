"""`atoll_sql()` inside a machine, in a real R."""

from __future__ import annotations

import pytest
from tests.inside.conftest import r
from tests.inside.test_python import broken

TYPES = """
select * from (values
  (1, '007', true, 1.5, date '2020-02-01', timestamptz '2020-02-01 10:00:00+00', 'a "quoted", text' || chr(10) || 'é', 9007199254740993),
  (2, '', false, null, null, null, 'NA', 1),
  (null, null, null, 2.5, date '2021-12-31', timestamptz '2021-12-31 23:59:59.5+00', null, null)
) t(i, code, yes, x, day, seen, word, big)
"""  # noqa: E501


def test_types_come_as_they_are(gateway):
    done = r(
        gateway,
        f"""
f <- atoll_sql({TYPES!r})
cat(sapply(f, function(c) class(c)[1]), sep = " "); cat("\\n")
cat(identical(f$code, c("007", "", NA)), identical(f$yes, c(TRUE, FALSE, NA)), "\\n")
cat(identical(f$i, c(1L, 2L, NA)), identical(f$x, c(1.5, NA, 2.5)), "\\n")
cat(identical(format(f$day), c("2020-02-01", NA, "2021-12-31")), "\\n")
cat(format(f$seen[3], "%Y-%m-%d %H:%M:%OS1", tz = "UTC"), "\\n")
cat(identical(f$word, c("a \\"quoted\\", text\\n\\u00e9", "NA", NA)), "\\n")
""",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "integer character logical numeric Date POSIXct character numeric"
    assert lines[1:] == ["TRUE TRUE ", "TRUE TRUE ", "TRUE ", "2021-12-31 23:59:59.5 ", "TRUE "]


def test_the_projects_data(gateway):
    done = r(gateway, 'f <- atoll_sql("select age, seen from ward.patients order by age"); cat(dim(f), range(f$age))')
    assert done.stdout == "10 2 21 30", done.stderr


def test_no_row_one_column_and_a_large_result(gateway):
    done = r(
        gateway,
        """
f <- atoll_sql("select age, patient_id from ward.patients where age > 1000"); cat(dim(f), names(f), "")
f <- atoll_sql("select nullif(n, 1) as n from range(3) t(n)"); cat(dim(f), is.na(f$n), "")
f <- atoll_sql("select n, 'w' || n as w from range(300000) t(n)"); cat(dim(f), sum(f$n), f$w[300000])
""",
    )
    assert done.stdout == "0 2 age patient_id 3 1 FALSE TRUE FALSE 300000 2 44999850000 w299999", done.stderr


@pytest.mark.parametrize("statement", ["select * from ward.nothing", "drop table ward.patients", 'select "\\\\'])
def test_what_is_refused_stops_with_the_reason(gateway, statement):
    done = r(gateway, f"tryCatch(atoll_sql({statement!r}), error = function(e) cat('told:', conditionMessage(e)))")
    assert done.stdout.startswith("told: "), done.stderr
    assert len(done.stdout) > 30
    assert "HTTP" not in done.stdout


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n"n"\n\r\n2\r\n1\n\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n"n"\n1',
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"n"\n1\n',
        b'HTTP/1.1 200 OK\r\n\r\n"n"\n1\n',
        b"HTTP/1.1 200 OK\r\nTransf",
    ],
)
def test_an_answer_that_breaks_off_is_no_result(answer):
    url, thread = broken(answer)
    done = r(url, "tryCatch(print(atoll_sql('x')), error = function(e) cat(conditionMessage(e)))")
    thread.join()
    assert done.stdout.startswith("The answer broke off"), done.stdout + done.stderr


def test_without_a_gateway_it_is_told():
    done = r("http://127.0.0.1:9", "tryCatch(atoll_sql('x'), error = function(e) cat(conditionMessage(e)))")
    assert done.stdout == "The platform cannot be reached."
