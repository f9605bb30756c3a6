"""Stopped and killed in the middle of an admission, the platform goes on where it was."""

from __future__ import annotations

import signal

import pytest
from tests.e2e.conftest import EXAMPLES


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_an_admission_goes_on_after_a_restart(platform, how):
    platform.settings["ATOLL_OPERATION_LEASE_SECONDS"] = "1"
    platform.stop()
    platform.start()
    platform.person("steward", "steward")
    platform.source("lab", "synthea")
    platform.contract((EXAMPLES / "synthea" / "contract.yaml").read_text())
    with platform.as_("lab") as lab:
        delivery = lab.deliver("lab", "synthea", sorted((EXAMPLES / "synthea" / "data").iterdir()))
        under_way = lab.deliveries.show(delivery["id"])["outcome"] is None
    code = platform.stop(how)
    assert under_way
    assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
    platform.start()
    with platform.as_("lab") as lab:
        ended = lab.wait_for_delivery(delivery["id"], timeout_seconds=120)
    assert ended["state"] == "committed"
    with platform.as_("steward") as steward:
        assert len(list(steward.datasets.versions("synthea"))) == 1
        rows = sum(t["rows"] for t in steward.datasets.show("synthea")["newest"]["tables"])
    assert rows == ended["outcome"]["rows_committed"]


def test_a_second_start_keeps_everything(platform):
    first = platform.tokens["admin"]
    assert platform.stop() == 0
    platform.start()
    assert platform.tokens["admin"] == first
    with platform.as_("admin") as admin:
        assert admin.accounts.me()["roles"] == ["admin"]
    modes = {p.name: p.stat().st_mode & 0o777 for p in (platform.home, *platform.home.iterdir())}
    assert modes["home"] == 0o700
    assert modes["admin-token"] == 0o600
    assert (platform.home / "keys" / "master.key").stat().st_mode & 0o777 == 0o600


def test_logs_are_json_with_request_ids(platform):
    import httpx

    httpx.get(f"{platform.url}/healthz", headers={"X-Request-Id": "req-from-a-test"})
    platform.stop()
    assert any(line.get("request_id") == "req-from-a-test" for line in platform.lines())


def test_a_port_that_is_taken_is_told(platform, tmp_path):
    import subprocess

    from tests.e2e.process import ATOLL

    port = platform.url.rsplit(":", 1)[1]
    done = subprocess.run(
        [ATOLL, "up", "--home", str(tmp_path / "other"), "--port", port], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "in use" in done.stderr
