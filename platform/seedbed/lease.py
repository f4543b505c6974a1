"""Leases: who writes what in a store. Two runs that want one artifact share one computation.

Where the store is a folder, a lease is a kernel lock on a file in it: it vanishes with its process, and everybody who
sees the folder sees the lock. On an object store it is an object that its holder keeps fresh; one that was not
refreshed for EXPIRY_S, or whose holder is a dead process of this machine, is taken over.
"""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from seedbed.errors import StoreError
from seedbed.state import StateDirectory
from seedbed.store import Store

EXPIRY_S = 60.0
BEAT_S = 10.0
POLL_S = 1.0

GC_LEASE = "gc"
"""Held while a run is recorded and while garbage is removed: a run that starts meanwhile waits, then finds it gone."""

OnWait = Callable[[str], None]


class Leases:
    """The leases of one store."""

    def __init__(self, store: Store, state: StateDirectory) -> None:
        self._store = store
        folder = store.local_path("")
        # Object stores have the state directory's locks before their own: processes of one machine need no polling.
        self._locks = StateDirectory(folder) if folder is not None else state
        self._has_objects = folder is None

    def is_held(self, name: str) -> bool:
        """Whether somebody alive holds the lease `name`."""
        return self._locks.is_leased(name) or (self._has_objects and _is_alive(_read(self._store, name)))

    @contextmanager
    def hold(self, name: str, on_wait: OnWait = lambda _: None) -> Iterator[None]:
        """Hold `name` alone. While another process holds it, `on_wait` is told once by whom, then this one waits."""
        with self._locks.lease(name, on_wait):
            if not self._has_objects:
                yield
                return
            with _object_lease(self._store, name, on_wait):
                yield


def _path(name: str) -> str:
    return f"locks/{name}.json"


@contextmanager
def _object_lease(store: Store, name: str, on_wait: OnWait) -> Iterator[None]:
    holder: dict[str, Any] = {"pid": os.getpid(), "host": socket.gethostname(), "token": uuid.uuid4().hex}
    told = False
    while not store.create(_path(name), _beat(holder)):
        found = _read(store, name)
        if found.get("token") == holder["token"]:
            break  # it was created, and the answer got lost
        if not _is_alive(found):
            _release(store, name, found.get("token"))
            continue
        if not told:
            on_wait(f"process {found['pid']} on {found['host']}")
            told = True
        time.sleep(POLL_S)
    stop = threading.Event()
    beating = threading.Thread(target=_keep_fresh, args=(store, name, holder, stop), daemon=True)
    beating.start()
    try:
        yield
    finally:
        stop.set()
        beating.join()
        _release(store, name, holder["token"])


def _release(store: Store, name: str, token: str | None) -> None:
    """Remove the lease while it is still this one. Object stores have no conditional removal: between look and removal
    another may have taken it over. Then two write one artifact: the same bytes, or an older training that stops when it
    sees that it was superseded."""
    if _read(store, name).get("token") == token:
        store.delete(_path(name))


def _keep_fresh(store: Store, name: str, holder: dict[str, Any], stop: threading.Event) -> None:
    while not stop.wait(BEAT_S):
        try:
            if _read(store, name).get("token", holder["token"]) != holder["token"]:
                return  # this process was suspended for so long that another has taken over
            store.write(_path(name), _beat(holder))
        except StoreError as error:
            if not error.transient:  # a store that is out of reach for a moment is asked again with the next beat
                raise


def _beat(holder: dict[str, Any]) -> bytes:
    return json.dumps(holder | {"beat_at": time.time()}).encode()


def _read(store: Store, name: str) -> dict[str, Any]:
    if not store.exists(_path(name)):
        return {}
    try:
        found: dict[str, Any] = json.loads(store.read(_path(name)))
    except (StoreError, ValueError):  # gone since, or nobody's
        return {}
    return found


def _is_alive(holder: dict[str, Any]) -> bool:
    if not holder or time.time() - holder["beat_at"] > EXPIRY_S:
        return False
    return holder["host"] != socket.gethostname() or psutil.pid_exists(holder["pid"])
