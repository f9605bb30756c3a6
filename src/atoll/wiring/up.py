"""`atoll up`: API, runner and housekeeping in one process on embedded defaults."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from atoll.errors import AtollError

if TYPE_CHECKING:
    import uvicorn

    from atoll.settings import Settings

log = logging.getLogger(__name__)

_GRACE_SECONDS = 10


def up(
    home: Annotated[
        Path | None, typer.Option(help="Directory for records, keys, quarantine and lake (ATOLL_HOME).")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (ATOLL_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for a free one (ATOLL_PORT).")] = None,
    executor: Annotated[
        str | None, typer.Option(help="Cluster that carries out admissions, dask://HOST:PORT (ATOLL_EXECUTOR).")
    ] = None,
) -> None:
    """Start the platform in this process and stay until SIGINT or SIGTERM.

    The first start makes the home, its keys and the file `admin-token` (0600), whose
    content goes into ATOLL_TOKEN.
    """
    from pydantic import ValidationError

    from atoll.settings import Settings

    given: dict[str, Any] = {"home": home, "host": host, "port": port, "executor": executor}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
        serve(settings)
    except ValidationError as error:
        for line in error.errors(include_input=False, include_url=False):
            typer.echo(f"ATOLL_{'_'.join(str(p) for p in line['loc']).upper()}: {line['msg']}", err=True)
        raise typer.Exit(2) from None
    except AtollError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"Atoll cannot start: {error.strerror} ({error.filename or 'the address to listen on'}).", err=True)
        raise typer.Exit(1) from None


def serve(settings: Settings) -> None:
    """Run the platform until a signal stops it; what is under way goes on at the next start."""
    import uvicorn

    from atoll.api import create_app
    from atoll.api.logs import configure_logs
    from atoll.flows.manage_products import ensure_shipped
    from atoll.flows.serve_machine import MachineDesk
    from atoll.flows.sign_in import ensure_admin
    from atoll.wiring import gateway, machines, platform, proxy, sign_on
    from atoll.wiring.inbox import Inboxes

    configure_logs(settings.log_level)
    listening = _listen(settings.host, settings.port)
    host, port = listening.getsockname()[:2]
    rooms = platform.build(settings, machines.backends(settings))
    ensure_admin(rooms, partial(_write_secret, settings.home_dir / "admin-token"))
    ensure_shipped(rooms)
    desk = MachineDesk(rooms)
    gateways = gateway.build(rooms, desk, f"http://{host}:{port}")
    door = proxy.build(rooms)
    around = machines.HostSurroundings(rooms, desk, gateways, door.forget)
    inboxes = Inboxes(rooms)
    runners = (
        platform.runner(rooms),
        platform.query_runner(rooms),
        platform.upkeep_runner(rooms),
        platform.machine_runner(rooms, around),
    )
    reconcilers = (
        sign_on.reconcilers(rooms),
        platform.reconcilers(rooms),
        platform.profile_reconcilers(rooms),
        *platform.machine_reconcilers(rooms, partial(proxy.visits, door)),
        platform.warm_reconcilers(rooms, around),
    )
    try:
        app = create_app(rooms)
        app.state.ticket_url = door.ticket_url
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        server = uvicorn.Server(config)
        # Streams of events end by themselves, so that the stop does not wait for them.
        app.state.stopping = lambda: server.should_exit
        _stop_in_order(server)
        gateways.start()
        around.reopen()
        door.start()
        for worker in (*runners, *reconcilers, inboxes):
            worker.start()
        where = {"url": f"http://{host}:{port}", "home": str(settings.home_dir)}
        log.info("Atoll answers.", extra={"fields": where})
        spare_standing_objects()
        server.run(sockets=[listening])
    finally:
        for worker in (inboxes, *reconcilers, *runners):
            worker.stop()
        door.stop()
        gateways.stop()
        platform.close(rooms)
        log.info("Atoll has stopped.")


def spare_standing_objects() -> None:
    """Look no more through what is there from the start: a full collection would hold up every request by 0.2 s."""
    gc.collect()
    gc.freeze()


def _stop_in_order(server: uvicorn.Server) -> None:
    """Let a signal end the server, not the process.

    One may come before uvicorn listens for it, and uvicorn raises those it took once
    more after its own stop; either way what follows `server.run` must happen.
    """

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY; else each answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(1024)
    listening.set_inheritable(True)
    return listening


def _write_secret(path: Path, secret: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    path.chmod(0o600)
