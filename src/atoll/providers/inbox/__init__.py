"""Inboxes: directories of this host, and prefixes of an object store."""

from atoll.providers.inbox.directory import DirectoryInbox
from atoll.providers.inbox.objects import ObjectInbox

__all__ = ["DirectoryInbox", "ObjectInbox"]
