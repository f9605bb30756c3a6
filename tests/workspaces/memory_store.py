"""A record store in memory, for thousands of histories; it keeps the port's rules on versions and unique values."""

from __future__ import annotations

import json
import threading

from atoll.errors import AlreadyExists, NotFound, VersionConflict
from atoll.model.record import utc_now
from atoll.ports.records import Append, Delete, Page, Put, StreamEntry


def _index(record, names):
    return {(n, str(v)) for n in names if (v := getattr(record, n)) is not None}


class MemoryStore:
    def __init__(self):
        self._kinds = {}
        self._by_index = {}
        self._uniques = {}
        self._streams = {}
        self._lock = threading.RLock()

    def get(self, kind, id):
        with self._lock:
            try:
                return self._kinds[kind.kind][id]
            except KeyError:
                raise NotFound("No such record.", where=f"{kind.kind}/{id}") from None

    def find(self, kind, *, where=None, cursor=None, limit=100, newest_first=False):
        with self._lock:
            ids = None
            for name, value in (where or {}).items():
                assert name in kind.indexes
                found = self._by_index.get((kind.kind, name, value), set())
                ids = found if ids is None else ids & found
            records = self._kinds.get(kind.kind, {})
            ordered = sorted(records if ids is None else ids, reverse=newest_first)
            if cursor is not None:
                ordered = [i for i in ordered if (i < cursor if newest_first else i > cursor)]
            page = ordered[:limit]
            return Page(tuple(records[i] for i in page), page[-1] if len(ordered) > limit else None)

    def put(self, record):
        self.transact([Put(record)])
        return record.model_copy(update={"version": record.version + 1})

    def transact(self, writes):
        with self._lock:
            records = [w.record for w in writes if not isinstance(w, Append)]
            assert len(writes) <= 50
            assert len(records) == len({(r.kind, r.id) for r in records})
            for record in records:
                stored = self._kinds.get(record.kind, {}).get(record.id)
                if (stored.version if stored else 0) != record.version:
                    raise VersionConflict("Written since.", where=f"{record.kind}/{record.id}")
            mine = {(r.kind, r.id) for r in records}
            for write in writes:
                if isinstance(write, Append):
                    if write.after is not None and len(self._streams.get(write.stream, [])) != write.after:
                        raise VersionConflict("The stream has moved on.", where=write.stream)
                elif isinstance(write, Put):
                    for name, value in _index(write.record, write.record.unique):
                        owner = self._uniques.get((write.record.kind, name, value))
                        if owner is not None and (write.record.kind, owner) not in mine:
                            raise AlreadyExists("Taken.", where=f"{write.record.kind}/{name}")
            for write in writes:
                if isinstance(write, Append):
                    stream = self._streams.setdefault(write.stream, [])
                    for body in write.entries:
                        stream.append(
                            StreamEntry(write.stream, len(stream) + 1, utc_now(), json.loads(json.dumps(dict(body))))
                        )
                else:
                    self._replace(write.record, gone=isinstance(write, Delete))

    def _replace(self, record, *, gone):
        kind = self._kinds.setdefault(record.kind, {})
        old = kind.pop(record.id, None)
        if old is not None:
            for name, value in _index(old, old.indexes):
                self._by_index[record.kind, name, value].discard(record.id)
            for name, value in _index(old, old.unique):
                self._uniques.pop((record.kind, name, value), None)
        if gone:
            return
        kind[record.id] = record.model_copy(update={"version": record.version + 1})
        for name, value in _index(record, record.indexes):
            self._by_index.setdefault((record.kind, name, value), set()).add(record.id)
        for name, value in _index(record, record.unique):
            self._uniques[record.kind, name, value] = record.id

    def read(self, stream, *, after=0, limit=1000):
        return tuple(self._streams.get(stream, [])[after : after + limit])

    def tail(self, stream, *, limit=1):
        return tuple(self._streams.get(stream, [])[-limit:])

    def check(self):
        return None

    def close(self):
        return None
