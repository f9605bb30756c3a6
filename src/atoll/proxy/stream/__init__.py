"""Desktops and applications streamed to a browser: the remote framebuffer protocol, let through by a list.

Both ends may be hostile: a program in the machine can listen in place of the X server, and a
visitor can send what he likes from a client of his own. So each message is read here, on the
platform's side, and only what is known and permitted goes on.
"""

from atoll.proxy.stream.breach import Breach
from atoll.proxy.stream.screen import FromScreen
from atoll.proxy.stream.viewer import FromViewer

__all__ = ["Breach", "FromScreen", "FromViewer"]
