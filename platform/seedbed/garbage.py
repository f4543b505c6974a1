"""What no run reaches: found, shown, removed."""

from dataclasses import dataclass

from seedbed import runs
from seedbed.errors import UsageError
from seedbed.state import StateDirectory
from seedbed.store import TEMPORARY, Store


@dataclass(frozen=True)
class Garbage:
    """A folder or file of the store that can go, why, and its bytes."""

    path: str
    why: str
    num_bytes: int


def find_garbage(store: Store, state: StateDirectory, forget: tuple[str, ...] = ()) -> list[Garbage]:
    """Artifacts that no run of the store names, the runs in `forget`, and files that were never finished.

    What a living process is writing (its lease is held on this machine) is left alone.
    """
    known = {record.run: record for record in runs.all_runs(store, state)}
    for run in forget:
        if run not in known:
            raise UsageError(f"no run {run!r} to forget; there are {', '.join(known) or 'none'}")
        if known[run].state == runs.RUNNING:
            raise UsageError(f"run {run} is running: stop it first")
    kept = [run for run in known if run not in forget]
    reached = {f"{s.kind}-{s.fingerprint}" for run in kept for s in runs.load_plan(store, run).steps}
    garbage = [Garbage(f"runs/{run}", "a run to forget", _size(store, f"runs/{run}")) for run in forget]
    for name in store.names("steps"):
        if state.is_leased(name):
            continue
        if name not in reached:
            garbage.append(Garbage(f"steps/{name}", "no run reaches it", _size(store, f"steps/{name}")))
        else:
            garbage += _leftovers(store, f"steps/{name}")
    return garbage


def remove(store: Store, garbage: list[Garbage]) -> None:
    for item in garbage:
        store.delete(item.path)


def _size(store: Store, folder: str) -> int:
    return sum(store.files(folder).values())


def _leftovers(store: Store, folder: str) -> list[Garbage]:
    found = store.files(folder)
    unfinished = [path for path in found if path.rsplit("/", 1)[-1].startswith(TEMPORARY)]
    leftovers = [Garbage(path, "a file that was never finished", found[path]) for path in unfinished]
    if f"{folder}/manifest.json" in found and any(path.startswith(f"{folder}/scratch/") for path in found):
        size = sum(size for path, size in found.items() if path.startswith(f"{folder}/scratch/"))
        leftovers.append(Garbage(f"{folder}/scratch", "work that a committed step no longer needs", size))
    return leftovers
