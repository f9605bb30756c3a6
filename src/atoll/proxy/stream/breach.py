"""What ends a stream."""

from __future__ import annotations


class Breach(Exception):
    """A message that is none of the protocol's, or that never may be sent. The stream is cut.

    Its text names the kind of message, never its content.
    """
