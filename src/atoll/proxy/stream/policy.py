"""What may pass between a screen and its viewer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StreamPolicy:
    """What one visitor may do.

    Attributes:
        control: move the pointer, type, and change the size; without it only look.
        paste: bring text into the machine. Text never comes out: that is what the airlock is for.
    """

    control: bool = True
    paste: bool = False


class Breach(Exception):
    """A message that is none of the protocol's, or that never may be sent. The stream is cut.

    Its text names the kind of message, never its content.
    """
