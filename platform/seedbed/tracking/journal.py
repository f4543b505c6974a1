"""The journal of a training: what its ranks took and what happened, in the order of writing. It only grows.

`<state>/metrics/<fingerprint>.journal.jsonl` has three kinds of lines:

    {"step": 7, "time": ..., "loss": ...}              an optimizer step, as in the metrics spool
    {"event": "taken_up", "time": ..., "step": 6}      an event, as in the events spool, or one of these:
    {"event": "driver_started", "run": ...}, {"event": "finished"}, {"event": "driver_ended"}, each with a time
    {"event": "restored", "record": {...}}             a step that a checkpoint of another machine brought along

The metrics spool is put back to a checkpoint when one is taken up; the journal keeps the steps that were lost by it. So
whoever reads the journal alone knows which steps stayed, and may stop and go on at any offset.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 20


def journal_path(state_dir: str | Path, fingerprint: str) -> Path:
    """The journal of the pretraining with this fingerprint."""
    return Path(state_dir) / "metrics" / f"{fingerprint}.journal.jsonl"


def beside(spool: Path) -> Path:
    """The journal that belongs to a metrics or events spool."""
    return spool.with_name(f"{spool.name.partition('.')[0]}.journal.jsonl")


def append(path: Path, record: dict[str, Any]) -> None:
    """Add one line in one write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as f:
        f.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")


def note_restored(path: Path, before: bytes, after: bytes) -> None:
    """Remember the steps of a spool that is about to hold `after`, where `before` did not have them."""
    if before.startswith(after):
        return
    known = set(before.splitlines())
    for line in after.splitlines():
        if line not in known:
            append(path, {"event": "restored", "record": json.loads(line)})


@contextmanager
def driver_session(
    path: Path, run_id: str, cluster: dict[str, Any], peak_flops_per_second: float | None
) -> Iterator[None]:
    """Say from when to when a driver of this run was at it, on what, and what stopped it.

    The peak is that of one device of a rank, dense, in the run's precision; None where it is unknown.
    """
    facts = {"run": run_id, "cluster": cluster, "peak_flops_per_second": peak_flops_per_second}
    append(path, {"event": "driver_started", "time": time.time(), **facts})
    try:
        yield
    except BaseException as error:
        # Told to stop, or interrupted by its user, is no failure.
        stopped = isinstance(error, KeyboardInterrupt | SystemExit) or getattr(error, "exit_code", 1) == os.EX_TEMPFAIL
        reason = {"stopped" if stopped else "error": f"{type(error).__name__}: {error}"}
        append(path, {"event": "driver_ended", "time": time.time(), **reason})
        raise
    append(path, {"event": "finished", "time": time.time()})
    append(path, {"event": "driver_ended", "time": time.time()})


def read_from(path: Path, offset: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Each whole line from `offset` on, and the offset behind it. A line cut short waits for its end.

    A line that is no JSON is passed over: a full disk may have cut it, and the next one was written behind it.
    """
    if not path.exists():
        return
    with path.open("rb") as f:
        f.seek(offset)
        rest = b""
        while chunk := f.read(CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                offset += len(line) + 1
                try:
                    value = json.loads(line)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    yield value, offset
