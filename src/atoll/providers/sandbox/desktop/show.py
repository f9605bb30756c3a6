"""A screen inside a machine and what is shown on it. A program of its own, standard library only.

Run as `python -I -S show.py SOCKET BASE_URL KIND COMMAND...`:

    SOCKET     where the platform asks whether the screen is there (HTTP, `<BASE_URL>api`)
    KIND       `desktop`: COMMAND is a session, as `xfce4-session`; `application`: one program, which
               is given the whole screen
    COMMAND    begun again when it ends, unless it ends at once time and again

The screen itself is an X server that speaks RFB on `vnc.sock` beside SOCKET.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

DISPLAY = ":1"
SCREEN = "vnc.sock"
_FIRST_SIZE = "1280x800"
_START_SECONDS = 60.0
#: A session that ends so often in this time does not work here.
_TRIES, _TRIES_SECONDS = 5, 30.0
_WINDOWS = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <applications>
    <application type="normal"><maximized>yes</maximized><decor>no</decor></application>
  </applications>
  <theme><keepBorder>no</keepBorder></theme>
  <keyboard/>
  <mouse>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
  </mouse>
</openbox_config>
"""


def main(words: list[str]) -> int:
    """Show it until the screen ends; the machine's exit status."""
    place, base_url, kind, *command = words
    screen = Path(place).with_name(SCREEN)
    for stale in (Path(place), screen):
        with contextlib.suppress(OSError):
            stale.unlink()
    server = start_screen(screen)
    try:
        if not wait_for(screen, server):
            print("The X server did not come up.", flush=True)
            return 1
        answer(Path(place), base_url, kind)
        return show(kind, command, server)
    finally:
        server.terminate()


def start_screen(screen: Path) -> subprocess.Popen[bytes]:
    """The X server. What it would send of texts the platform holds back besides; here it is not made."""
    return subprocess.Popen(
        [
            "/usr/bin/Xvnc", DISPLAY, "-SecurityTypes", "None", "-rfbport", "-1",
            "-rfbunixpath", str(screen), "-rfbunixmode", "0600", "-nolisten", "tcp", "-localhost",
            "-geometry", _FIRST_SIZE, "-depth", "24", "-AcceptSetDesktopSize=1", "-AlwaysShared",
            "-SendCutText=0", "-SendPrimary=0", "-IdleTimeout", "0", "-desktop", "Atoll",
        ],
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def wait_for(screen: Path, server: subprocess.Popen[bytes]) -> bool:
    """Whether the screen's socket takes connections, before it is too late."""
    until = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as near:
            near.connect(str(screen))
            return True
        time.sleep(0.02)
    return False


def show(kind: str, command: list[str], server: subprocess.Popen[bytes]) -> int:
    """Keep what is shown going while the X server lives."""
    variables = surroundings()
    if kind == "desktop":
        furnish(Path.home())
    if kind == "application":
        subprocess.Popen(["/usr/bin/openbox", "--config-file", windows()], env=variables)
    begun: list[float] = []
    # The session ends with the screen that it is shown on.
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    while server.poll() is None:
        begun = [at for at in begun if at > time.monotonic() - _TRIES_SECONDS] + [time.monotonic()]
        if len(begun) > _TRIES:
            print(f"{command[0]} ends as soon as it is started.", flush=True)
            return 1
        try:
            shown = subprocess.Popen(["/usr/bin/dbus-run-session", "--", *command], env=variables)
        except OSError as error:
            print(f"{command[0]} cannot be run: {error.strerror}", flush=True)
            return 127
        while server.poll() is None and shown.poll() is None:
            time.sleep(0.2)
        shown.terminate()
    return 0


def furnish(home: Path) -> None:
    """What lies on the desktop at first: the data, the project's share, what is started most."""
    desktop = home / "Desktop"
    if desktop.exists():
        return
    desktop.mkdir()
    for name, place in (("Data", Path("/data")), ("Project", Path("/project"))):
        if place.is_dir():
            (desktop / name).symlink_to(place)
    for entry in sorted((Path(__file__).parent / "share" / "applications").glob("*.desktop")):
        (desktop / entry.name).write_bytes(entry.read_bytes())
        # Only what may be run is started without asking whether it is to be trusted.
        (desktop / entry.name).chmod(0o755)


def surroundings() -> dict[str, str]:
    """The variables of what is shown."""
    runtime = Path("/tmp/.runtime")  # noqa: S108 - the machine's own
    runtime.mkdir(mode=0o700, exist_ok=True)
    Path("/tmp/.ICE-unix").mkdir(mode=0o1777, exist_ok=True)  # noqa: S108 - the machine's own
    return {
        **os.environ,
        "DISPLAY": DISPLAY,
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_CONFIG_DIRS": f"{Path(__file__).parent / 'xdg'}:/etc/xdg",
        "XDG_DATA_DIRS": f"{Path(__file__).parent / 'share'}:/usr/local/share:/usr/share",
        "XDG_SESSION_TYPE": "x11",
        "XDG_CURRENT_DESKTOP": "XFCE",
        # Nothing here has a GPU, a screen reader or a keyring.
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "NO_AT_BRIDGE": "1",
        "GTK_A11Y": "none",
    }


def windows() -> str:
    """The rules of a screen with one program: it fills it, and has no frame to be moved or closed by."""
    path = Path("/tmp/.windows.xml")  # noqa: S108 - the machine's own
    path.write_text(_WINDOWS)
    return str(path)


def answer(place: Path, base_url: str, kind: str) -> None:
    """Say on `place` that the screen is there."""
    body = json.dumps({"screen": kind}).encode()

    class Face(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == f"{base_url}api"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) if found else 0))
            self.end_headers()
            if found:
                self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Nobody reads of each look."""

        def address_string(self) -> str:
            return "platform"

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

        def handle_error(self, *_words: object) -> None:
            """The platform does not read to the end what it only wants to know the first line of."""

    server = Server(str(place), Face)
    place.chmod(0o600)
    threading.Thread(target=server.serve_forever, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
