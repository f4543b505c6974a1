"""`python -m benchmarks.dashboard.polling`: what one look of the dashboard asks of registry and store.

A store with 100 runs, of which three run, is looked at as the server's threads do. Statements of the registry are
counted where SQLAlchemy sends them, calls to the store where `Store` is called. Ray is asked by none of it.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from seedbed import reports, runs
from seedbed.dashboard.watch import REGISTRY_EVERY_S, REMOTE_STORE_EVERY_S, Watch
from seedbed.lease import Leases
from seedbed.registry.database import open_registry
from seedbed.state import StateDirectory
from seedbed.store import Store

CALLS = ("names", "files", "size", "stamp", "read", "read_if_there")
"""Of `Store`: each is a request on an object store."""


def main(argv: list[str] | None = None) -> int:
    """Print the counts; the number of the process's exit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard.polling", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--running", type=int, default=3)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as driven:
        state, store = StateDirectory(Path(folder) / "state"), Store(str(Path(folder) / "store"))
        _fill(store, given.runs, given.running)
        for number in range(given.running):
            driven.enter_context(Leases(store, state).hold(runs.lease_name(_name(number))))  # as a driver does
        registry = open_registry(None, state)
        watch = Watch(registry, [store], state)
        watch.look_at_store(store.place)  # the first one reads every run
        watch.look_at_registry()
        for name, every_s, look in (
            ("registry", REGISTRY_EVERY_S, watch.look_at_registry),
            ("store", REMOTE_STORE_EVERY_S, lambda: watch.look_at_store(store.place)),
        ):
            with _counted(registry._database.engine) as counts:
                look()
            told = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
            print(f"{name}, each {every_s:g} s: {told}; {sum(counts.values()) / every_s:.1f} requests/s")
        registry.close()
    return 0


def _name(number: int) -> str:
    return f"run-{number:08x}"


def _fill(store: Store, num_runs: int, num_running: int) -> None:
    for number in range(num_runs):
        is_running = number < num_running
        run_id = _name(number)
        record = runs.RunRecord(run_id, "run", runs.now(), runs.RUNNING if is_running else runs.FINISHED)
        record.begin_attempt()
        if not is_running:
            record.end_attempt(runs.FINISHED)
        runs.save(store, record)
        store.write(f"{reports.attempt_path(run_id, 1)}/heartbeat.json", b'{"at": 1.0, "sequence": 1}')


@contextmanager
def _counted(engine: sa.Engine) -> Iterator[Counter[str]]:
    """What is asked inside, by what it is."""
    counts: Counter[str] = Counter()
    before = {name: getattr(Store, name) for name in CALLS if hasattr(Store, name)}

    def count(*arguments: Any) -> None:
        counts["statements"] += 1

    def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            counts[f"`{name}`"] += 1
            return call(*arguments, **named)

        return counted

    sa.event.listen(engine, "before_cursor_execute", count)
    for name, call in before.items():
        setattr(Store, name, counting(name, call))
    try:
        yield counts
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
        for name, call in before.items():
            setattr(Store, name, call)


if __name__ == "__main__":
    sys.exit(main())
