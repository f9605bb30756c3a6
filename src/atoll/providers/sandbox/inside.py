"""The first process inside a machine. A program of its own, standard library only.

Run as `python -I -S inside.py PLAN ORDERS`, ORDERS the number of an open, listening socket on
which the platform has commands run inside, PLAN in JSON:

    command    what to run; its exit status becomes the machine's
    forward    [[TCP port of 127.0.0.1, path of a unix socket], ...]: the only ways out
    rlimits    {name: value}, set hard before anything of the user runs
    links      {path: target} and directories: what the home needs at the start
    files      {path: text} written into the home when absent

As process 1 it reaps orphans, passes SIGTERM on and ends everything when the command ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import resource
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

_PR_SET_DUMPABLE = 4


def main(plan: dict[str, Any], orders: int) -> int:
    """Prepare the home, run the command, forward until it ends. Returns the machine's exit status."""
    os.set_inheritable(orders, False)
    # So that no process of the person looks into this one, or has its open files.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for name, value in plan["rlimits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    prepare(plan)
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os.execvp(plan["command"][0], plan["command"])  # noqa: S606 - no shell is wanted
        except OSError as error:
            os.write(2, f"{plan['command'][0]} cannot be run: {error.strerror}\n".encode())
        os._exit(127)

    def stop(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    for port, path in plan["forward"]:
        threading.Thread(target=forward, args=(port, path), daemon=True).start()
    desk = Orders()
    threading.Thread(target=desk.take, args=(socket.socket(fileno=orders),), daemon=True).start()
    while True:
        gone, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        if gone == child:
            return code if code >= 0 else 128 - code
        desk.ended(gone, code)


class Orders:
    """Commands that the platform has run here, as any process of the person would run.

    On a connection comes a line of JSON, `command` and `seconds`; back goes what the command
    prints, and in a last line its exit status.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.codes: dict[int, queue.SimpleQueue[int]] = {}

    def take(self, listening: socket.socket) -> None:
        """Carry out what comes, each in a thread of its own."""
        while True:
            near, _ = listening.accept()
            with contextlib.suppress(RuntimeError):  # no thread is to be had now: the connection ends
                threading.Thread(target=self.carry_out, args=(near,), daemon=True).start()

    def carry_out(self, near: socket.socket) -> None:
        """One command, ended with all of its session when its time is over."""
        with near, contextlib.suppress(OSError, ValueError, KeyError), near.makefile("rb") as lines:
            order = json.loads(lines.readline())
            try:
                pid, codes = self.begin(order["command"], near.fileno())
            except OSError as error:
                near.sendall(f"{error.strerror}\n125\n".encode())
                return
            try:
                code = codes.get(timeout=float(order["seconds"]))
            except queue.Empty:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                code = codes.get()
            near.sendall(f"\n{code}\n".encode())

    def begin(self, command: list[str], output: int) -> tuple[int, queue.SimpleQueue[int]]:
        """Start it; its pid, and where its exit status comes. Raises `OSError`."""
        # Held, so that a command that ends at once is known before its end is told.
        with self.lock:
            pid = os.posix_spawnp(
                command[0],
                command,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output, 1),
                    (os.POSIX_SPAWN_DUP2, output, 2),
                ],
                setsid=True,
            )
            codes = self.codes[pid] = queue.SimpleQueue[int]()
        return pid, codes

    def ended(self, pid: int, code: int) -> None:
        """A process was waited for; most are orphans that nobody asks for."""
        with self.lock:
            codes = self.codes.pop(pid, None)
        if codes is not None:
            codes.put(code)


def prepare(plan: dict[str, Any]) -> None:
    """Make what the home needs, never over what its owner has there."""
    for path, target in plan["links"].items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            Path(path).symlink_to(target)
    for path, text in plan["files"].items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(path):
            Path(path).write_text(text)
            Path(path).chmod(0o755 if text.startswith("#!") else 0o644)


def forward(port: int, path: str) -> None:
    """Take TCP connections of this machine and join each to the unix socket."""
    with socket.create_server(("127.0.0.1", port), backlog=128) as server:
        while True:
            near, _ = server.accept()
            threading.Thread(target=join, args=(near, path), daemon=True).start()


def join(near: socket.socket, path: str) -> None:
    """Carry bytes both ways until both sides have ended."""
    with near, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as far:
        try:
            far.connect(path)
        except OSError:
            return
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way; the end is passed on as an end."""
    with contextlib.suppress(OSError):
        while block := source.recv(65_536):
            sink.sendall(block)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    os._exit(main(json.loads(sys.argv[1]), int(sys.argv[2])))
