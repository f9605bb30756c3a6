"""A person's browser at a machine: enters by the address, runs cells as JupyterLab's page does."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from typing import Any

import aiohttp

_CELL_SECONDS = 180


def run_cells(address: str, kernel: str, cells: Sequence[str], *, known: str | None = None) -> tuple[str, list[str]]:
    """Run cells in a kernel of the machine behind the address; the kernel's id and what each cell printed.

    `kernel` is `python3` or `ir`; with `known` the kernel of this id is used, as it was left.
    """
    return asyncio.run(_run_cells(address, kernel, cells, known))


async def _run_cells(address: str, kernel: str, cells: Sequence[str], known: str | None) -> tuple[str, list[str]]:
    origin, base = address.split("/w/", maxsplit=1)[0], address.split("/.atoll", maxsplit=1)[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        for page in (address, f"{base}/lab"):
            async with browser.get(page) as answer:
                answer.raise_for_status()
        token = next((c.value for c in browser.cookie_jar if c.key == "_xsrf"), "")
        headers = {"Origin": origin, "X-XSRFToken": token}
        if known is None:
            async with browser.post(f"{base}/api/kernels", json={"name": kernel}, headers=headers) as answer:
                answer.raise_for_status()
                known = str((await answer.json())["id"])
        channels = f"{base}/api/kernels/{known}/channels"
        async with browser.ws_connect(channels, headers={"Origin": origin}, max_msg_size=0) as socket:
            return known, [await _run_cell(socket, cell) for cell in cells]


async def _run_cell(socket: aiohttp.ClientWebSocketResponse, code: str) -> str:
    request = uuid.uuid4().hex
    header = {"msg_id": request, "msg_type": "execute_request", "session": request, "version": "5.3"}
    await socket.send_json(
        {
            "header": {**header, "username": "", "date": ""},
            "parent_header": {},
            "metadata": {},
            "content": {"code": code, "silent": False, "user_expressions": {}, "allow_stdin": False},
            "channel": "shell",
            "buffers": [],
        }
    )
    printed = ""
    while True:
        message: dict[str, Any] = json.loads((await socket.receive(_CELL_SECONDS)).data)
        if message["parent_header"].get("msg_id") != request:
            continue
        content, kind = message["content"], message["msg_type"]
        if kind == "stream":
            printed += content["text"]
        elif kind == "error":
            printed += f"{content['ename']}: {content['evalue']}\n"
        elif kind in ("execute_result", "display_data"):
            printed += content["data"].get("text/plain", "") + "\n"
        elif kind == "execute_reply":
            return printed.strip()
