"""What a reader gives: one record after another, each with its place, whole or with what is wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime

DAMAGE = ("unreadable_bytes", "truncated_record")
"""Reasons of problems that are places in a file that is not whole: what stood there is lost."""


@dataclass(frozen=True)
class Problem:
    """Why a record gives no document. `reason` is counted, `detail` is for the person who asks why."""

    reason: str
    value: float | None = None
    threshold: float | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a crawl file.

    `number` counts records of the file from 0; `offset` is where in the stored file a reader may start again.
    Either `problem` is set, or `payload` holds the body as it was sent (`content_type` and `charset` as declared), or
    `text` holds what already is plain text.
    """

    number: int
    offset: int
    url: str | None = None
    date: datetime | None = None
    http_status: int | None = None
    content_type: str | None = None
    charset: str | None = None
    num_payload_bytes: int = 0
    payload: bytes = field(default=b"", repr=False)
    text: str | None = field(default=None, repr=False)
    problem: Problem | None = None
    truncated: str | None = None  # why the crawler kept only a part, in its words
    last_modified: datetime | None = None  # as the server said
    rights: dict[str, str] | None = None  # what HTTP headers say of robots, text mining and licence, by header's name
