"""JupyterLab in a window of the desktop. A program of its own, run by Debian's Python with its GTK.

There is no browser in a machine, and nowhere to go with one: the window shows the notebook
server that it starts, which listens inside the machine only, and nothing else.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PYTHON = "/opt/environment/venv/bin/python"
_START_SECONDS = 90.0


def start() -> tuple[subprocess.Popen[bytes], str]:
    """The notebook server, and the address with its token."""
    with socket.socket() as near:
        near.bind(("127.0.0.1", 0))
        port = near.getsockname()[1]
    token = secrets.token_urlsafe(24)
    # In the environment, where no list of processes shows it.
    server = subprocess.Popen(
        [
            PYTHON, "-m", "jupyterlab", "--no-browser", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
            "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={Path.home()}",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=",
            "--LabApp.extension_manager=readonly",
        ],
        env={**os.environ, "JUPYTER_TOKEN": token},
    )  # fmt: skip
    return server, f"http://127.0.0.1:{port}/lab?token={token}"


def wait_for(server: subprocess.Popen[bytes], address: str) -> bool:
    """Whether it answers in time."""
    until = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own address
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False


def show(address: str) -> None:
    """The window, until it is closed."""
    # Debian's, of another Python than the platform's.
    import gi  # type: ignore[import-not-found]

    gi.require_version("Gtk", "3.0")
    gi.require_version("WebKit2", "4.1")
    from gi.repository import Gtk, WebKit2  # type: ignore[import-not-found]

    window = Gtk.Window(title="JupyterLab")
    window.set_default_size(1100, 720)
    view = WebKit2.WebView()
    origin = address.split("/lab", 1)[0]

    def decide(_view: object, decision: Any, kind: object) -> bool:  # noqa: ANN401 - of a library without types
        if kind == WebKit2.PolicyDecisionType.RESPONSE:
            return False
        uri = decision.get_navigation_action().get_request().get_uri()
        if kind == WebKit2.PolicyDecisionType.NEW_WINDOW_ACTION and uri.startswith(origin):
            view.load_uri(uri)
        if uri.startswith((origin, "about:", "blob:")) and kind == WebKit2.PolicyDecisionType.NAVIGATION_ACTION:
            return False
        decision.ignore()
        return True

    view.connect("decide-policy", decide)
    window.connect("destroy", Gtk.main_quit)
    window.add(view)
    view.load_uri(address)
    window.show_all()
    Gtk.main()


def main() -> int:
    """Start, show, and end the server with the window."""
    if not Path(PYTHON).exists():
        print("There is no JupyterLab in this environment.", file=sys.stderr)
        return 1
    server, address = start()
    try:
        if not wait_for(server, address):
            print("JupyterLab does not answer.", file=sys.stderr)
            return 1
        show(address)
        return 0
    finally:
        server.terminate()


if __name__ == "__main__":
    sys.exit(main())
