"""Runs JupyterLab before it is anybody's, and makes it a person's. A program of its own.

Run inside as `python late.py FD NOBODYS_URL -m MODULE ARGUMENT...`: FD is an open socket on
which lines of JSON come, each answered by one byte once it has taken effect:

    variables   go into this process's environment, so into what it starts from then on
    base_url    takes the place of NOBODYS_URL everywhere
    seed        with it everything that was drawn before is drawn anew

A start from a template would else have every machine share what was drawn in it.
"""

from __future__ import annotations

import json
import os
import random
import re
import runpy
import socket
import sys
import threading
from pathlib import Path
from typing import Any


class Waiting:
    """The service, as far as it can be changed while it runs."""

    def __init__(self, descriptor: int, nobodys: str) -> None:
        self.channel = socket.socket(fileno=descriptor)
        self.nobodys = nobodys

    def wait(self) -> None:
        """Take what comes; each line on the service's own thread, between two requests."""
        with self.channel.makefile("r") as lines:
            for line in lines:
                from jupyter_server.serverapp import ServerApp

                loop = ServerApp.instance().io_loop
                loop.add_callback(self.take, json.loads(line))

    def take(self, told: dict[str, Any]) -> None:
        """Carry out one line."""
        try:
            os.environ.update(told.get("variables", {}))
            if "seed" in told:
                self.refresh(bytes.fromhex(told["seed"]))
            if "base_url" in told:
                self.move(told["base_url"])
            answer = b"."
        except Exception as error:
            sys.stderr.write(f"The service could not be given to its person: {error!r}\n")
            answer = b"!"
        self.channel.sendall(answer)

    def refresh(self, seed: bytes) -> None:
        """Draw anew what the process had drawn: its generator, the key of cookies, its runtime files."""
        from jupyter_server.serverapp import ServerApp

        random.seed(seed + os.urandom(32))
        os.chdir(Path.home())
        server = ServerApp.instance()
        server.cookie_secret = os.urandom(32)
        server.web_app.settings["cookie_secret"] = server.cookie_secret
        Path(server.runtime_dir).mkdir(parents=True, exist_ok=True, mode=0o700)

    def move(self, url: str) -> None:
        """Serve under another base URL."""
        from jupyter_server.serverapp import ServerApp

        server = ServerApp.instance()
        application = server.web_app
        self.move_rules(application.default_router.rules, url)
        self.move_rules(application.wildcard_router.rules, url)
        settings = application.settings
        for name in list(settings):
            settings[name] = self.moved(settings[name], url)
        for app in (server, *server.extension_manager.extension_apps.values()):
            for one in app if isinstance(app, set | list | tuple) else (app,):
                self.move_traits(one, url)
        self.nobodys = url

    def move_traits(self, app: Any, url: str) -> None:  # noqa: ANN401 - not known on the host
        """Traits of an application that hold the URL."""
        for name in app.trait_names():
            if name in app._trait_values:
                value = app._trait_values[name]
                changed = self.moved(value, url)
                if changed is not value:
                    app._trait_values[name] = changed

    def move_rules(self, rules: list[Any], url: str) -> None:
        """Patterns of addresses, and what their handlers were told."""
        before = re.escape(self.nobodys)
        for rule in rules:
            matcher = rule.matcher
            if hasattr(matcher, "regex"):
                pattern = matcher.regex.pattern
                for written in (self.nobodys, before):
                    pattern = pattern.replace(written, url)
                if pattern != matcher.regex.pattern:
                    matcher.__init__(pattern)
            if isinstance(getattr(rule, "target_kwargs", None), dict):
                rule.target_kwargs = self.moved(rule.target_kwargs, url)
            if hasattr(rule.target, "rules"):
                self.move_rules(rule.target.rules, url)

    def moved(self, value: Any, url: str) -> Any:  # noqa: ANN401 - anything
        """The same with the URL in place of nobody's; itself when nothing is to be changed."""
        if isinstance(value, str):
            return value.replace(self.nobodys, url) if self.nobodys in value else value
        if type(value) is dict:
            for key in list(value):
                value[key] = self.moved(value[key], url)
        elif type(value) is list:
            value[:] = [self.moved(part, url) for part in value]
        elif type(value) is tuple:
            parts = tuple(self.moved(part, url) for part in value)
            return value if all(a is b for a, b in zip(parts, value, strict=True)) else parts
        return value


def main(words: list[str]) -> None:
    """Become the service, with a thread that waits for the person."""
    descriptor, nobodys, flag, module = int(words[0]), words[1], words[2], words[3]
    os.set_inheritable(descriptor, False)
    if flag != "-m":
        raise SystemExit("Only a module can be made ready.")
    threading.Thread(target=Waiting(descriptor, nobodys).wait, name="waiting", daemon=True).start()
    sys.argv = words[3:]
    sys.path[0] = str(Path.cwd())
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
