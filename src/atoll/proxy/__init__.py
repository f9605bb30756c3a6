"""How people reach the service inside a machine: a reverse proxy, each machine on an origin of its own."""

from atoll.proxy.callbacks import Callbacks
from atoll.proxy.options import Options
from atoll.proxy.server import ProxyServer

__all__ = ["Callbacks", "Options", "ProxyServer"]
