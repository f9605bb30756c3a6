"""The first process of a virtual machine's sandbox: starts QEMU, and does to it what the platform asks.

It runs below bubblewrap with the rights of one machine: what QEMU or the system inside
do to it, they do to themselves. It lives and dies apart from the platform, so an order
that was taken is carried out though the platform is gone.

Orders come as one line of JSON on a connection to the listening socket that it is handed,
`{"do": ..., ...}`; one line goes back, `{"ok": true, ...}` or `{"error", "room"}`.
The first is `begin` with a `Plan`, which holds the machine's keys: they are in no file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from qemu.qmp import QMPClient

from atoll.providers.vm.agent_channel import AgentChannel, AgentError
from atoll.providers.vm.arguments import HOME_DISK, Shape, joined, qemu_words
from atoll.providers.vm.memory import Damaged, load, save

#: Where things are seen below bubblewrap.
IMAGE, TEMPLATE, DATA, KEPT, HOME, RUN, OUT = (
    Path("/opt", "image"), Path("/opt", "template"), Path("/disks", "data"), Path("/disks", "kept"),
    Path("/disks", "home"), Path("/run", "m"), Path("/disks", "out"),
)  # fmt: skip
PIPE = "/opt/vm/pipe.py"
GATEWAY_SOCKET = "/run/gw/gw.sock"
#: Exit statuses of this program that are no service's: hibernated, stopped when asked, QEMU ended by itself.
HIBERNATED, STOPPED, BROKEN = 240, 241, 242
_PORT = 8888
#: From what a machine starts, the best first.
_WAYS: tuple[Memory, ...] = ("state", "template", "cold")
_BEGIN_SECONDS = 30.0
_BOOT_SECONDS = 600.0
_AGENT_SECONDS = 30.0
_OFF_SECONDS = 10.0
_MOST_ORDER = 2**24


#: What a machine starts from.
Memory = Literal["cold", "template", "state"]


@dataclass(frozen=True)
class Plan:
    """What is to be started.

    Attributes:
        shape: what a memory is tied to.
        memory: `cold` to boot, `template` or `state` to load one.
        context: authenticated with a state: the machine's workspace.
        home_key, state_key: hexadecimal; empty for none.
        disks: of data: `scsi_id`, `file` below the data directory, `target` and `inside` of a single file.
        become: what the agent is told, see `guest/agent.py`; empty when a template is made.
        gateway: whether there is one.
        warm: what is started for nobody; with it the memory is saved as a template, and that is all.
    """

    shape: dict[str, Any]
    memory: Memory
    context: str = ""
    home_key: str = ""
    state_key: str = ""
    disks: list[dict[str, Any]] = field(default_factory=list)
    become: dict[str, Any] = field(default_factory=dict)
    gateway: bool = False
    warm: dict[str, Any] = field(default_factory=dict)


class Hypervisor:
    """One machine, from `begin` to its end."""

    def __init__(self, orders: socket.socket) -> None:
        self.orders = orders
        self.begun = asyncio.Event()
        self.plan: Plan
        self.qemu: asyncio.subprocess.Process
        self.qmp = QMPClient("machine")
        self.agent = AgentChannel(self.heard)
        self.changing = asyncio.Lock()
        self.ends = asyncio.get_running_loop().create_future()
        self.awake = asyncio.Event()
        #: A memory is being loaded, or QEMU is being ended: when it ends then, that is no end of the machine.
        self.loading = self.leaving = False
        self.work: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Until the machine has ended; the exit status."""
        server = await asyncio.start_unix_server(self.take_order, sock=self.orders, limit=_MOST_ORDER)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, lambda: self.in_work(self.stop()))
        async with server:
            try:
                await asyncio.wait_for(self.begun.wait(), _BEGIN_SECONDS)
                await self.start()
            except Exception as error:  # whatever it is, the log is where it is looked for
                self.told(f"It could not be started: {error or type(error).__name__}")
                return BROKEN
            return int(await self.ends)

    def in_work(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Do it beside what goes on."""
        task = asyncio.create_task(coroutine)
        self.work.add(task)
        task.add_done_callback(self.work.discard)

    def end(self, status: int) -> None:
        """End with that status, unless an end is known already."""
        if not self.ends.done():
            self.ends.set_result(status)

    # -- orders --------------------------------------------------------------------

    async def take_order(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one order, one answer."""
        answer: dict[str, Any]
        try:
            order = json.loads(await reader.readline())
            answer = {"ok": True, **(await getattr(self, "on_" + order.pop("do"))(**order) or {})}
        except OSError as error:
            answer = {"error": error.strerror or str(error), "errno": error.errno}
        except Exception as error:
            answer = {"error": str(error)[:500] or type(error).__name__}
        with contextlib.suppress(OSError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        if answer.pop("then_end", False):
            self.end(HIBERNATED)

    async def on_begin(self, plan: dict[str, Any]) -> None:
        """Start what the plan says."""
        if not self.begun.is_set():
            self.plan = Plan(**plan)
            self.begun.set()

    async def on_freeze(self) -> dict[str, Any]:
        """Write the memory to disk and end QEMU. What goes wrong leaves the machine running."""
        await asyncio.wait_for(self.awake.wait(), _AGENT_SECONDS)
        async with self.changing:
            with contextlib.suppress(AgentError):
                await self.agent.ask("settle", 10.0)
            began = time.monotonic()
            key = bytes.fromhex(self.plan.state_key)
            disks = self.plan.disks
            figures = await save(self.qmp, KEPT, key, self.plan.context, {"shape": self.plan.shape, "disks": disks})
            self.told(f"hibernated in {time.monotonic() - began:.2f} s, {figures['bytes']} bytes")
            self.awake.clear()
            await self.quit()
        return {**figures, "then_end": True}

    async def on_attach(self, disks: list[dict[str, Any]], give: dict[str, Any]) -> None:
        """Data that comes while it runs, and what its person brings."""
        await asyncio.wait_for(self.awake.wait(), _AGENT_SECONDS)
        async with self.changing:
            for disk in disks:
                await self.plug(disk)
                await self.agent.ask("attach", _AGENT_SECONDS, kind="data", **_told(disk))
                self.plan.disks.append(disk)
            await self.agent.ask("give", _AGENT_SECONDS, **give)

    async def on_run(self, command: list[str], seconds: float, root: bool = False) -> dict[str, Any]:
        """A command inside."""
        answer = await self.agent.ask("run", seconds + 10.0, command=command, seconds=seconds, root=root)
        return {"status": int(answer["status"]), "printed": str(answer["printed"])}

    async def on_figures(self) -> dict[str, Any]:
        """What the system inside says that it uses."""
        answer = await self.agent.ask("figures", 3.0)
        return {name: float(answer[name]) for name in ("cpu_seconds", "memory_bytes", "processes", "home_bytes")}

    async def on_off(self) -> None:
        """Power off in order."""
        await self.stop()

    # -- a start -------------------------------------------------------------------

    async def start(self) -> None:
        """Start QEMU and have the machine be what it is to be."""
        began = time.monotonic()
        plan = self.plan
        memory = await self.begin_from(_WAYS[_WAYS.index(plan.memory) :])
        if plan.warm:
            await self.make_template()
            return
        if memory != "state":
            await self.become()
        server = await asyncio.start_unix_server(self.join, path=RUN / "jup.sock")
        self.in_work(server.serve_forever())
        (KEPT / "up").write_text(memory)
        self.awake.set()
        self.told(f"phase up {time.monotonic() - began:.2f}")

    async def begin_from(self, ways: tuple[Memory, ...]) -> Memory:
        """Have it run, from the first of the ways that can be gone; which that was. Raises `Damaged`."""
        for memory in ways:
            if memory == "template" and not (TEMPLATE / "memory").exists():
                continue
            try:
                await self.launch(memory)
                if memory == "state":
                    await self.wake()
                elif memory == "template":
                    await load(self.qmp, TEMPLATE / "memory", None, "")
                    await self.qmp.execute("cont")
                self.loading = False
                return memory
            except Damaged as why:
                self.told(f"It could not be started from its {memory}: {why}")
                await self.quit()
                if memory == "state":
                    # The disk is as it was: nothing has run since.
                    _forget_state()
                    (KEPT / "fallen").write_text(f"{why}")
        raise Damaged("there is no way left to start it")

    async def launch(self, memory: str) -> None:
        """Start QEMU, connect to it and to the agent."""
        place = Path("/tmp", memory)  # noqa: S108 - this sandbox's own
        place.mkdir(exist_ok=True)
        gateway = joined([sys.executable, "-I", "-S", PIPE, GATEWAY_SOCKET]) if self.plan.gateway else None
        words = qemu_words(
            Shape(**self.plan.shape), image=IMAGE, control=place / "q", agent=place / "a", port=_PORT,
            gateway=gateway, incoming=memory != "cold",
        )  # fmt: skip
        self.loading = memory != "cold"
        self.qemu = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL)
        self.in_work(self.watch(self.qemu))
        self.qmp = QMPClient("machine")
        until = time.monotonic() + _AGENT_SECONDS
        while True:
            try:
                await self.qmp.connect(str(place / "q"))
                await self.agent.connect(place / "a")
                return
            except Exception as error:
                if self.qemu.returncode is not None or time.monotonic() > until:
                    raise Damaged("QEMU does not start") from error
                await asyncio.sleep(0.02)

    async def watch(self, qemu: asyncio.subprocess.Process) -> None:
        """When QEMU ends by itself, so does the machine."""
        status = await qemu.wait()
        if qemu is self.qemu and not self.loading and not self.leaving:
            await asyncio.sleep(0.3)  # an end of the service that was told just before comes first
            self.told(f"QEMU ended with status {status}.")
            self.end(BROKEN)

    async def wake(self) -> None:
        """Load the kept memory, whole and unchanged, and go on. Raises `Damaged`."""
        kept = json.loads((KEPT / "state.json").read_text())
        if kept["shape"] != self.plan.shape:
            raise Damaged("it is of another kind of machine, processor, image or QEMU")
        async with self.changing:
            await self.plug_home()
            for disk in kept["disks"]:
                await self.plug(disk)
            await load(self.qmp, KEPT / "memory", bytes.fromhex(self.plan.state_key), self.plan.context)
            self.plan.disks[:] = kept["disks"]
            # From here on the disk changes: the memory that was kept is never to be loaded again.
            _forget_state()
            await self.qmp.execute("cont")
        with contextlib.suppress(AgentError):
            await self.agent.ask("time", _AGENT_SECONDS, time=time.time())
            await self.agent.ask("seed", _AGENT_SECONDS, seed=os.urandom(32).hex())

    async def become(self) -> None:
        """Be the workspace's machine."""
        async with asyncio.timeout(_BOOT_SECONDS):
            await self.agent_there()
        await self.plug_home()
        for disk in self.plan.disks:
            await self.plug(disk)
        disks = [{"kind": "home", "scsi_id": HOME_DISK, "target": ""}]
        disks += [{"kind": "data", **_told(disk)} for disk in self.plan.disks]
        told = {"time": time.time(), "seed": os.urandom(32).hex(), "machine_id": os.urandom(16).hex()}
        await self.agent.ask("become", 120.0, disks=disks, **told, **self.plan.become)

    async def agent_there(self) -> None:
        """Wait until the agent answers."""
        while True:
            try:
                await self.agent.ask("settle", 2.0)
            except AgentError:
                await asyncio.sleep(0.1)
            else:
                return

    async def make_template(self) -> None:
        """Start the services of nobody, save the memory, and end."""
        await asyncio.wait_for(self.agent_there(), _BOOT_SECONDS)
        warm = self.plan.warm
        if warm.get("command"):
            await self.agent.ask("warm", warm["seconds"] + 10.0, **warm)
        await self.agent.ask("settle", _AGENT_SECONDS)
        async with self.changing:
            await save(self.qmp, OUT, None, "", {"shape": self.plan.shape})
            await self.quit()
        self.end(0)

    async def plug_home(self) -> None:
        """Attach the home, which only its key opens."""
        if not self.plan.home_key:
            return
        await self.qmp.execute("object-add", {"qom-type": "secret", "id": "home-key", "data": self.plan.home_key})
        file = {"driver": "file", "filename": str(HOME / "home.qcow2"), "locking": "on"}
        encrypt = {"format": "luks", "key-secret": "home-key"}
        await self.qmp.execute(
            "blockdev-add",
            {"driver": "qcow2", "node-name": "home", "file": file, "encrypt": encrypt, "discard": "unmap"},
        )
        await self.attach("home", HOME_DISK)

    async def plug(self, disk: dict[str, Any]) -> None:
        """Attach a disk of data, which nobody changes."""
        name = f"data{disk['scsi_id']}"
        file = {"driver": "file", "filename": str(DATA / disk["file"])}
        await self.qmp.execute("blockdev-add", {"driver": "raw", "node-name": name, "read-only": True, "file": file})
        await self.attach(name, int(disk["scsi_id"]))

    async def attach(self, node: str, number: int) -> None:
        """A disk on the bus, known by its number; named alike at every start, as a saved memory asks."""
        told = {"driver": "scsi-hd", "bus": "scsi0.0", "scsi-id": number, "drive": node, "id": f"disk{number}"}
        await self.qmp.execute("device_add", told)

    # -- while it runs ---------------------------------------------------------------

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry bytes between a visitor and the service inside."""
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", _PORT)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer), return_exceptions=True)
        for end in (writer, far_writer):
            end.close()

    def heard(self, event: dict[str, Any]) -> None:
        """What the agent tells unasked."""
        if event["event"] == "phase":
            name, seconds = str(event.get("name"))[:40], event.get("seconds")
            self.told(f"phase {name if name.isalnum() else '?'} {seconds if isinstance(seconds, float) else '?'}")
            return
        status = event.get("status")
        self.in_work(self.over(status if isinstance(status, int) and 0 <= status < HIBERNATED else 1))

    async def over(self, status: int) -> None:
        """The service has ended: so does the machine, with its status."""
        if self.plan.warm:
            return
        self.end(status)

    async def stop(self) -> None:
        """Power off; what does not in time is ended."""
        if not self.ends.done() and self.begun.is_set():
            async with self.changing:
                self.leaving = True
                with contextlib.suppress(AgentError):
                    await self.agent.ask("off", 0.5)
                with contextlib.suppress(TimeoutError, AttributeError):
                    await asyncio.wait_for(self.qemu.wait(), _OFF_SECONDS)
        self.end(STOPPED)

    async def quit(self) -> None:
        """End QEMU at once."""
        self.leaving = True
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.qmp.execute("quit"), 2.0)
        with contextlib.suppress(ProcessLookupError):
            self.qemu.kill()
        await self.qemu.wait()
        with contextlib.suppress(Exception):
            await self.qmp.disconnect()
        self.leaving = False

    def told(self, line: str) -> None:
        """Into the machine's log."""
        sys.stdout.write(f"atoll: {line}\n")
        sys.stdout.flush()


def _told(disk: dict[str, Any]) -> dict[str, Any]:
    return {"scsi_id": disk["scsi_id"], "target": disk["target"], "file": disk.get("inside")}


def _forget_state() -> None:
    """The kept memory is void; its description goes first, so that a part is never taken for the whole."""
    for name in ("state.json", "memory"):
        (KEPT / name).unlink(missing_ok=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(65_536):
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def main(orders: int) -> None:
    """Run one machine by orders that come on the open socket."""
    os.umask(0o077)

    async def run() -> int:
        return await Hypervisor(socket.socket(fileno=orders)).run()

    status = asyncio.run(run())
    os._exit(status)
