"""The end of a log, followed: read once for all who look at it."""

import threading
from collections import deque
from itertools import islice

from seedbed.dashboard.hub import News, first_number
from seedbed.reports import LogReader
from seedbed.store import Store

FIRST_BYTES = 64 << 10
"""What is shown of a log when somebody opens it."""
MAX_NEW_BYTES = 1 << 20
"""Where more came since the last look, its end is shown anew: a tail that is behind would show what is long past."""
MAX_LINES = 2000
MAX_LINE_CHARACTERS = 2000


class LogTail:
    """The topic of one attempt's log, of all sources or one. A piece of news has `lines`, each [source, text], and
    `is_all`: they are all that is known, and come in place of what was told before."""

    def __init__(self, store: Store, run_id: str, attempt: int, source: str | None) -> None:
        self._reader = LogReader(store, run_id, attempt, source)
        self._lines: deque[tuple[str, str]] = deque(maxlen=MAX_LINES)
        self._lock = threading.Lock()
        self._is_begun = False
        self.number = first_number()  # of the last line

    def look(self) -> None:
        """Raises StoreError."""
        with self._lock:
            if not self._is_begun:
                self._reader.skip_to_end(FIRST_BYTES)
                self._is_begun = True
            found = self._reader.new(MAX_NEW_BYTES)
            if sum(len(text.encode()) for _, text in found) >= MAX_NEW_BYTES:
                self._reader.skip_to_end(FIRST_BYTES)
                found = self._reader.new(MAX_NEW_BYTES)
                self._lines.clear()
                self.number += MAX_LINES  # whoever has seen the lines before has missed some
            for source, text in found:
                for line in text.splitlines():
                    cut = line if len(line) <= MAX_LINE_CHARACTERS else f"{line[:MAX_LINE_CHARACTERS]} …"
                    self._lines.append((source, cut))
                    self.number += 1

    def lines(self) -> tuple[int, list[tuple[str, str]]]:
        """(number of the last line, the lines that are kept)."""
        with self._lock:
            return self.number, list(self._lines)

    def since(self, number: int) -> list[News]:
        with self._lock:
            new = self.number - number
            if new == 0:
                return []
            # Below 0: what was seen is of a tail before this one, whose lines came faster than `first_number` counts.
            is_all = not 0 < new <= len(self._lines)
            first = 0 if is_all else len(self._lines) - new
            told = {"lines": list(islice(self._lines, first, None)), "is_all": is_all}
            return [News("lines", self.number, told)]
