"""R starts with `atoll_sql()` in a machine, without a `source` by the person."""

from __future__ import annotations

import subprocess

from atoll.client.inside import r_file
from atoll.gateway.inside import R_CLIENT, inside_configuration


def fresh_r(tmp_path, client, script):
    profile = tmp_path / "Rprofile.site"
    profile.write_text(inside_configuration()["/run/gw/Rprofile.site"].replace(R_CLIENT, str(client)))
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "R_PROFILE": str(profile), "ATOLL_URL": "http://127.0.0.1:9"}
    return subprocess.run(["Rscript", "-e", script], env=env, capture_output=True, text=True, check=False)


def test_atoll_sql_is_there_and_the_persons_own_names_are_free(tmp_path):
    script = (
        "cat(is.function(atoll_sql), length(ls(globalenv())), is.function(install.packages), '\\n');"
        "tryCatch(atoll_sql('select 1'), error = function(e) cat(conditionMessage(e)))"
    )
    done = fresh_r(tmp_path, r_file(), script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "TRUE 0 TRUE \nThe platform cannot be reached."


def test_a_client_that_is_missing_or_broken_keeps_nobody_from_r(tmp_path):
    broken = tmp_path / "broken.R"
    broken.write_text("this is no R")
    for client, told in ((broken, "atoll_sql() is not there"), (tmp_path / "none.R", "")):
        done = fresh_r(tmp_path, client, "cat(exists('atoll_sql'), 1 + 1)")
        assert (done.returncode, done.stdout) == (0, "FALSE 2")
        assert told in done.stderr
