"""Answers for `<base_url>api`, and runs Python that is posted to `<base_url>run`: a stand-in for a person inside."""

import http.server
import socketserver
import subprocess
import sys
from pathlib import Path

SOCKET, BASE_URL = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.path == BASE_URL + "api" else 404, b"{}")

    def do_POST(self):
        code = self.rfile.read(int(self.headers["Content-Length"]))
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60
        )
        self.answer(200, str(done.returncode).encode() + b"\n" + done.stdout)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "visitor"


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


print("tiny server starts", flush=True)
with Server(SOCKET, Handler) as server:
    Path(SOCKET).chmod(0o600)
    server.serve_forever()
