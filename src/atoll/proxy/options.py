"""How the proxy is reached, and its times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Options of a `ProxyServer`.

    Attributes:
        host: address to listen on.
        url: address of machines with `{workspace}` as the first label of a host name, such as
            `https://{workspace}.machines.example.org`; empty gives each machine a port of its own.
            That domain must hold nothing else: pages of machines can set cookies for all of it.
        port: with `url`, where to listen; TLS ends before the proxy. 0 picks a free port.
        ports: without `url`, the first and last port for machines; (0, 0) picks free ones.
        public_host: without `url`, the name or address by which browsers reach `host`; empty: the same.
        believe_seconds: how old a verdict about a session, or the place of a machine's socket, may be
            at a request. 0 asks each time.
        recheck_seconds: how often everybody with an open connection is authorised anew.
        blind_seconds: how long open connections outlive the answers to that (the store is away);
            new requests are refused at once.
        idle_seconds: a port nobody used for so long, of a machine that does not run, is given back.
        heartbeat_seconds: a browser that does not answer pings is taken for gone, so that a closed
            lid does not look like a person for ever.
        confine_pages: forbid pages of machines to load from or send to other origins, by
            Content-Security-Policy.
        platform_cookies: beginnings of names of cookies that never reach a machine.
    """

    host: str = "127.0.0.1"
    url: str = ""
    port: int = 0
    ports: tuple[int, int] = (8500, 8599)
    public_host: str = ""
    believe_seconds: float = 1.0
    recheck_seconds: float = 2.0
    blind_seconds: float = 30.0
    idle_seconds: float = 600.0
    heartbeat_seconds: float = 30.0
    confine_pages: bool = True
    platform_cookies: tuple[str, ...] = ("atoll", "__host-atoll", "__secure-atoll")

    @property
    def tls(self) -> bool:
        """Whether browsers reach machines by TLS."""
        return self.url.startswith("https://")
