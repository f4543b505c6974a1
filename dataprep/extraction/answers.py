"""What the extracting process says, as bytes: a line of JSON, then the texts in UTF-8 one after another.

Data and nothing else: the process that wrote it has parsed hostile pages, so nothing of it is ever executed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dataprep.extraction.page import Extracted
from dataprep.reading.record import Problem


def pack_answers(answers: Sequence[Extracted]) -> bytes:
    """The message for these answers."""
    texts = [answer.text.encode() for answer in answers]
    head = [
        {"num_bytes": len(text), "charset": a.charset, "problem": asdict(a.problem) if a.problem else None}
        for text, a in zip(texts, answers, strict=True)
    ]
    return b"".join([json.dumps(head).encode(), b"\n", *texts])


class AnswerReader:
    """Puts a message together from the pieces in which it arrives."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._head: list[dict[str, Any]] | None = None
        self._texts_at = 0
        self._num_bytes = 0  # of the whole message

    def feed(self, data: bytes) -> list[Extracted] | None:
        """The answers once they are whole. Raises ValueError, TypeError or KeyError for anything that is no message."""
        self._received += data
        if self._head is None:
            end = self._received.find(b"\n")
            if end < 0:
                return None
            self._head = list(json.loads(self._received[:end]))
            self._texts_at = end + 1
            self._num_bytes = end + 1 + sum(int(answer["num_bytes"]) for answer in self._head)
        if len(self._received) < self._num_bytes:
            return None
        if len(self._received) > self._num_bytes:
            raise ValueError(f"{len(self._received) - self._num_bytes} bytes follow the last text")
        return self._unpack(self._head)

    def _unpack(self, head: list[dict[str, Any]]) -> list[Extracted]:
        answers, start = [], self._texts_at
        for answer in head:
            end = start + answer["num_bytes"]
            if end < start:
                raise ValueError("a text of fewer than 0 bytes")
            problem = Problem(**answer["problem"]) if answer["problem"] else None
            answers.append(Extracted(self._received[start:end].decode(), answer["charset"], problem))
            start = end
        return answers
