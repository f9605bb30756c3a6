"""JupyterHub with its local spawner, installed for the benchmark only, beside the same JupyterLab."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TOKEN = "of-the-benchmark-only"
LOOK_SECONDS, PATIENCE_SECONDS = 0.01, 120
CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.Authenticator.allow_all = True
c.SimpleLocalProcessSpawner.home_dir_template = "{place}/homes/{{username}}"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser", "--allow-root", "--LabApp.news_url="]
c.Spawner.environment = {{"JUPYTER_PATH": "{environment}/venv/share/jupyter"}}
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "bench", "scopes": ["admin:users", "admin:servers", "access:servers"], "services": ["bench"]}}
]
"""


def install(directory: Path, environment: Path) -> Path:
    """A hub in `directory`, which finds the built environment's packages as its own; installed once."""
    done = directory / "installed"
    if done.exists():
        return directory
    shutil.rmtree(directory, ignore_errors=True)
    venv = directory / "venv"
    python = venv / "bin" / "python"
    base = Path(sys.base_prefix) / "bin" / "python3"
    run([base, "-m", "venv", venv])
    packages = next((environment / "venv" / "lib").glob("python3*")) / "site-packages"
    shared = next((venv / "lib").glob("python3*")) / "site-packages" / "shared.pth"
    shared.write_text(f"{packages}\n")
    run([python, "-m", "pip", "install", "--quiet", "jupyterhub"])
    run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", directory, "configurable-http-proxy"])
    done.touch()
    return directory


def run(words: list[object]) -> None:
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Hub:
    """A running hub; a context manager."""

    def __init__(self, installed: Path, environment: Path, place: Path) -> None:
        place.mkdir()
        (place / "homes").mkdir()
        self.place = place
        self.installed = installed
        self.port, hub_port, api_port = free_ports(3)
        config = CONFIG.format(
            port=self.port,
            hub_port=hub_port,
            api_port=api_port,
            place=place,
            python=installed / "venv" / "bin" / "python",
            environment=environment,
            proxy=installed / "node_modules" / ".bin" / "configurable-http-proxy",
            token=TOKEN,
        )
        (place / "jupyterhub_config.py").write_text(config)

    def __enter__(self) -> Hub:
        self.log = (self.place / "log").open("w")
        self.process = subprocess.Popen(
            [str(self.installed / "venv" / "bin" / "python"), "-m", "jupyterhub"],
            cwd=self.place,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": TOKEN},
        )
        self.until("hub/api/", "the hub's answer")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()

    def launch(self, user: str) -> float:
        """Seconds from the request for a server to the first answer of its `/api` through the hub's proxy."""
        self.ask("POST", f"hub/api/users/{user}")
        began = time.perf_counter()
        self.ask("POST", f"hub/api/users/{user}/server")
        self.until(f"user/{user}/api", "the hub's server")
        took = time.perf_counter() - began
        self.ask("DELETE", f"hub/api/users/{user}/server")
        time.sleep(0.5)
        return took

    def until(self, path: str, what: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(OSError, ValueError):
                if "version" in self.ask("GET", path):
                    return
            if time.monotonic() > end:
                sys.exit(f"{what} did not come in {PATIENCE_SECONDS} s:\n{(self.place / 'log').read_text()[-2000:]}")
            time.sleep(LOOK_SECONDS)

    def ask(self, method: str, path: str) -> dict[str, object]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body else {}


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
