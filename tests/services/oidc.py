"""Runs a real OpenID Connect provider, and signs people in at it as a browser would."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

_ROOT = Path(__file__).parents[2]
_PACKAGE = _ROOT / "web" / "node_modules" / "oidc-provider" / "lib" / "index.js"


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class OidcProvider:
    """One provider; started again it has another key and may know other people."""

    def __init__(self, redirect_uri: str, people: dict[str, dict[str, Any]]) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.people = people
        self._redirect_uri = redirect_uri
        self._folder = tempfile.TemporaryDirectory()
        self._told = Path(self._folder.name) / "people.json"
        self._process: subprocess.Popen[str] | None = None

    def start(self, *, kid: str, conform: bool = True) -> None:
        """Start. With `conform` claims are told at the userinfo endpoint only."""
        client = {"redirect_uris": [self._redirect_uri], "grant_types": ["authorization_code", "refresh_token"]}
        given = {
            "issuer": self.issuer,
            "port": self.port,
            "kid": kid,
            "conform": conform,
            "people": str(self._told),
            "clients": [
                {**client, "client_id": "atoll", "client_secret": "a secret: with+odd/characters"},
                {**client, "client_id": "public", "token_endpoint_auth_method": "none"},
            ],
        }
        self.tell(self.people)
        script = Path(__file__).with_name("oidc_provider.mjs")
        self._process = subprocess.Popen(
            ["node", str(script), str(_PACKAGE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(given))
        self._process.stdin.close()
        if "listening" not in self._process.stdout.readline():
            raise RuntimeError("The provider does not start.")

    def tell(self, people: dict[str, dict[str, Any]]) -> None:
        """From now on these people are there, and no other."""
        self._told.write_text(json.dumps(people))

    def stop(self) -> None:
        """Stop; the port stays its own."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def sign_in(self, url: str, login: str) -> str:
        """Follow `url` to the provider, sign in and consent there; the address it leads back to."""
        with httpx.Client(timeout=20) as browser:
            answer = browser.get(url)
            for _ in range(12):
                if answer.is_redirect:
                    to = urljoin(str(answer.url), answer.headers["location"])
                    if to.startswith(self._redirect_uri):
                        return to
                    answer = browser.get(to)
                    continue
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                action = re.search(r'action="([^"]+)"', answer.text)
                if prompt is None or action is None:
                    raise RuntimeError(f"The provider answers {answer.status_code}.")
                form = {"prompt": prompt.group(1), "login": login, "password": "any"}
                answer = browser.post(urljoin(str(answer.url), action.group(1)), data=form)
        raise RuntimeError("The provider leads nowhere.")
