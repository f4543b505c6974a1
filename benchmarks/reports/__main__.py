"""`python -m benchmarks.reports`: metrics a second through each part of their way, on one core.

a step's record --append--> journal --send--> chunks in the store --look--> curves
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.report_spool import ReportSpool
from seedbed import reports
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking import journal

RUN = "bench-00000000"
STEPS_PER_SEND = 500  # of a quick training in the five seconds between two heartbeats
PARTS = ("append", "send", "look")
METRICS = (
    "loss",
    "learning_rate",
    "gradient_norm",
    "tokens",
    "seconds",
    "tokens_per_second",
    "memory_bytes",
    "data_seconds",
    "flops_per_second",
    "mfu",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--steps", type=int, default=50_000, help="of a training, %(default)s by default")
    parser.add_argument("--times", type=int, default=5, help="rounds, %(default)s by default")
    parser.add_argument("--store", help="URL of a store; by default a temporary folder")
    parser.add_argument("--out", type=Path, help="where to put the figures, as JSON")
    arguments = parser.parse_args()
    rounds = []
    for _ in range(arguments.times):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(measure(Path(folder), arguments.store or f"{folder}/store", arguments.steps))
    rates = {
        part: sorted(len(METRICS) * arguments.steps / seconds[part] for seconds in rounds) for part in (*PARTS, "whole")
    }
    for part, found in rates.items():
        print(f"{part:<8} {statistics.median(found):>10,.0f} metrics/s   {found[0]:,.0f} to {found[-1]:,.0f}")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({"steps": arguments.steps, "metrics_per_second": rates}, indent=1))


def measure(folder: Path, url: str, num_steps: int) -> dict[str, float]:
    """Seconds of each part, and of all of them, with a reader that follows the writer."""
    state, store = StateDirectory(folder / "state"), Store(url)
    spool, path = ReportSpool(state, store, RUN, 1), folder / "journal.jsonl"
    stream = spool.follow(path)
    reader = reports.MetricsReader(store, RUN)
    spent = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def timed(part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        spent[part] += time.perf_counter() - started

    for first in range(1, num_steps + 1, STEPS_PER_SEND):
        steps = range(first, min(first + STEPS_PER_SEND, num_steps + 1))
        with timed("append"):
            for step in steps:
                journal.append(path, _record(step))
        with timed("send"):
            spool.send(store)
        with timed("look"):
            reader.look()
    spool.unfollow(stream)
    assert reader.curves.step == num_steps, "a step did not arrive"
    assert set(METRICS) <= set(reader.curves.names()), "a metric did not arrive"
    store.delete(reports.attempt_path(RUN, 1))
    return spent | {"whole": sum(spent.values())}


def _record(step: int) -> dict[str, float]:
    return {"step": step, "time": 1.7e9 + step / 100, **{name: 1 / (step + n) for n, name in enumerate(METRICS)}}


if __name__ == "__main__":
    main()
