"""Threads that may be left behind: work that hangs in a dead file system holds up nothing but its own place."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Pool:
    """At most `num_threads` at work; more waits its turn. The threads are daemons, and none is waited for at the end:
    `concurrent.futures` joins its own, so that a process whose store hangs could not be ended in order."""

    def __init__(self, name: str, num_threads: int) -> None:
        self._name, self._num_threads = name, num_threads
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._num_idle = self._num_begun = 0
        self._is_ending = False
        self._changed = threading.Condition()

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Its result, later; never, where the pool is stopped before its turn."""
        future: Future[T] = Future()
        with self._changed:
            if self._is_ending:
                future.cancel()
                return future
            self._waiting.append((future, work))
            if self._num_idle < len(self._waiting) and self._num_begun < self._num_threads:
                self._num_begun += 1
                threading.Thread(target=self._go_on, name=f"{self._name} {self._num_begun}", daemon=True).start()
            self._changed.notify()
        return future

    def stop(self) -> None:
        """What waits is cancelled; what is at work may end by itself."""
        with self._changed:
            self._is_ending = True
            for future, _ in self._waiting:
                future.cancel()
            self._waiting.clear()
            self._changed.notify_all()

    def _go_on(self) -> None:
        while (found := self._next()) is not None:
            future, work = found
            if not future.set_running_or_notify_cancel():  # nobody waits for it any more
                continue
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - whoever asked for it is told
                future.set_exception(error)
            else:
                future.set_result(result)

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._changed:
            self._num_idle += 1
            while not self._waiting and not self._is_ending:
                self._changed.wait()
            self._num_idle -= 1
            return self._waiting.popleft() if self._waiting else None
