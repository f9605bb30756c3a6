"""The SFTP server through which sources deliver: a key for each, confined to its own folder."""

from atoll.sftp.options import Callbacks, Options
from atoll.sftp.server import SftpServer

__all__ = ["Callbacks", "Options", "SftpServer"]
