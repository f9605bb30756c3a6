"""What root inside a machine may send to its host, and what it cannot bring about by it."""

from __future__ import annotations

import asyncio
import json

import pytest

from atoll.providers.vm import agent_channel
from atoll.providers.vm.agent_channel import AgentChannel, AgentError


def talk(tmp_path, inside, story):
    """Have `inside(line, writer)` answer each order, and `story(channel, heard)` ask."""
    heard = []

    async def serve(reader, writer):
        try:
            while line := await reader.readline():
                await inside(json.loads(line), writer)
        except (OSError, ValueError):
            writer.close()

    async def run():
        server = await asyncio.start_unix_server(serve, path=tmp_path / "a")
        channel = AgentChannel(heard.append)
        await channel.connect(tmp_path / "a")
        try:
            return await story(channel)
        finally:
            server.close()

    return asyncio.run(run()), heard


async def say(writer, *lines):
    for line in lines:
        writer.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
    await writer.drain()


HOSTILE = [
    b"\xff\xfe not text\n",
    b"[1, 2, 3]\n",
    b'"just words"\n',
    b"[" * 50_000 + b"\n",
    b'{"id": "1", "ok": true}\n',
    b'{"id": true, "ok": true}\n',
    b'{"id": 99, "ok": true}\n',
    b'{"id": [1], "ok": true}\n',
    b'{"event": {"of": "nothing"}}\n',
    b'{"event": "phase"}\n',
    b"x" * (3 * agent_channel.MOST_LINE_BYTES) + b"\n",
]


def test_after_all_nonsense_the_answer_is_heard(tmp_path):
    async def inside(order, writer):
        await say(writer, *HOSTILE, {"id": order["id"], "ok": True, "said": "hello"})

    answer, heard = talk(tmp_path, inside, lambda channel: channel.ask("figures", 20))
    assert answer["said"] == "hello"
    assert heard == [{"event": "phase"}]


def test_events_without_end_are_heard_up_to_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr(agent_channel, "_MOST_EVENTS", 10)

    async def inside(order, writer):
        await say(writer, *[{"event": "phase", "name": "x"}] * 500, {"id": order["id"], "ok": True})

    _, heard = talk(tmp_path, inside, lambda channel: channel.ask("figures", 20))
    assert len(heard) == 10


@pytest.mark.parametrize("answer", [{"error": "no"}, {"ok": "true"}, {"ok": 1}, {}])
def test_only_a_plain_yes_is_one(tmp_path, answer):
    async def inside(order, writer):
        await say(writer, {"id": order["id"], **answer})

    with pytest.raises(AgentError):
        talk(tmp_path, inside, lambda channel: channel.ask("figures", 20))


def test_an_agent_that_says_nothing_is_waited_for_as_long_as_was_said(tmp_path):
    async def inside(order, writer):
        await say(writer, b'{"id": ')

    with pytest.raises(AgentError, match="does not answer"):
        talk(tmp_path, inside, lambda channel: channel.ask("figures", 0.1))
