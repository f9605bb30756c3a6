"""Answers for `<base_url>api`, and runs Python that is posted to `<base_url>run`: a stand-in for a person inside.

At `<base_url>` is a page that does the same for a person in a browser.
"""

import http.server
import socketserver
import subprocess
import sys
from pathlib import Path

SOCKET, BASE_URL = sys.argv[1:]

PAGE = b"""<!doctype html><html lang="en"><title>Tiny</title><main><h1>Tiny</h1>
<label>Code <input id="code"></label> <button id="run">Run</button> <pre id="printed" role="status"></pre></main>
<script>
document.getElementById("run").onclick = async () => {
  const answer = await fetch("run", { method: "POST", body: document.getElementById("code").value });
  document.getElementById("printed").textContent = await answer.text();
};
</script></html>"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == BASE_URL:
            self.answer(200, PAGE, "text/html; charset=utf-8")
        else:
            self.answer(200 if self.path == BASE_URL + "api" else 404, b"{}")

    def do_POST(self):
        code = self.rfile.read(int(self.headers["Content-Length"]))
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60
        )
        self.answer(200, str(done.returncode).encode() + b"\n" + done.stdout)

    def answer(self, status, body, kind="application/octet-stream"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
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
