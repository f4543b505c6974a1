"""Work that may take long, done beside: a cluster or a store that does not answer holds nobody else up."""

import threading
from collections.abc import Callable, Hashable
from queue import Empty, SimpleQueue
from typing import Any


class Background:
    """Calls by key, of which each has one under way at most. The threads do not hold up the end of the process: what
    they do can be done again."""

    def __init__(self) -> None:
        self._under_way: set[Hashable] = set()
        self._done: SimpleQueue[tuple[Hashable, Any]] = SimpleQueue()

    def start(self, key: Hashable, call: Callable[[], Any]) -> bool:
        """Begin `call`; False where one of this key is under way."""
        if key in self._under_way:
            return False
        self._under_way.add(key)
        threading.Thread(target=self._carry_out, args=(key, call), name=str(key), daemon=True).start()
        return True

    def is_under_way(self, key: Hashable) -> bool:
        return key in self._under_way

    @property
    def num_under_way(self) -> int:
        return len(self._under_way)

    def results(self, wait_s: float) -> list[tuple[Hashable, Any]]:
        """(key, what it returned or the exception that it raised) of what has ended; the first is waited for."""
        found = []
        try:
            found.append(self._done.get(timeout=wait_s))
            while True:
                found.append(self._done.get_nowait())
        except Empty:
            pass
        self._under_way.difference_update(key for key, _ in found)
        return found

    def _carry_out(self, key: Hashable, call: Callable[[], Any]) -> None:
        try:
            self._done.put((key, call()))
        except BaseException as error:  # noqa: BLE001 - the loop decides what it means
            self._done.put((key, error))
