"""Answers on a unix socket as a notebook server does, or as a hostile one."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer


class Notebooks:
    """What `/w/<id>/api/...` answers: a status and a body for each path's last word."""

    def __init__(self):
        self.answers = {"kernels": (200, b"[]"), "terminals": (200, b"[]"), "sessions": (200, b"[]")}
        self.paths = []
        self.on_ask = lambda: None

    def kernel(self, state, last_activity, id="k1", path="fit.ipynb"):
        kernel = {"id": id, "name": "python3", "last_activity": last_activity, "execution_state": state}
        self.answers["kernels"] = (200, json.dumps([kernel]).encode())
        self.answers["sessions"] = (200, json.dumps([{"path": path, "kernel": {"id": id}}]).encode())


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextmanager
def serving(path):
    """A server at the path while the block lasts."""
    told = Notebooks()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            told.paths.append(self.path)
            told.on_ask()
            status, body = told.answers[self.path.rpartition("/")[2]]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self):
            return "unix"

        def log_message(self, *_):
            pass

    path.parent.mkdir(parents=True, exist_ok=True)
    server = _Server(str(path), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def hanging(path):
    """Takes connections and says a byte now and then, for ever."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(8)
    stop = threading.Event()

    def drip():
        listening.settimeout(0.05)
        held = []
        while not stop.is_set():
            with suppress(TimeoutError):
                held.append(listening.accept()[0])
            for one in held:
                try:
                    one.sendall(b"H")
                except OSError:
                    continue
        for one in held:
            one.close()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        listening.close()
