"""What no run and no job reaches: found, shown, removed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from dataprep.errors import CorruptDataError
from seedbed import bundle, runs
from seedbed.errors import UsageError
from seedbed.lease import GC_LEASE, Leases
from seedbed.registry.records import Job
from seedbed.state import StateDirectory
from seedbed.store import TEMPORARY, Store

BROKEN = "/checkpoints/broken-"
"""What leads the path of a checkpoint that was moved aside (`jobs.pretrain.checkpoint`)."""


@dataclass(frozen=True)
class Garbage:
    """A folder or file that can go, why, and its bytes. `path` is one of the store, or of the state directory."""

    path: str
    why: str
    num_bytes: int
    in_state: bool = False


WRITING_S = 3600.0
"""A file of the state directory that was begun so long ago is written by nobody any more."""


def find_garbage(
    store: Store, state: StateDirectory, forget: tuple[str, ...] = (), jobs: Sequence[Job] = ()
) -> list[Garbage]:
    """Artifacts that no run of the store names, the runs in `forget`, bundles that neither a run nor one of `jobs`
    (those of the registry) needs, and files that were never finished.

    What somebody alive is writing (its lease is held) is left alone. Raises UsageError for a run to forget that is not
    there, is running, or is wanted by a job that is not over; CorruptDataError where a run's plan cannot be read.
    """
    leases = Leases(store, state)
    known = {record.run: record for record in runs.all_runs(store, state)}
    for run in forget:
        if run not in known:
            raise UsageError(f"no run {run!r} to forget; there are {', '.join(known) or 'none'}")
        if leases.is_held(runs.lease_name(run)):  # not by its state: a damaged record does not say it
            raise UsageError(f"run {run} is running: stop it first")
        job = next((j for j in jobs if j.run_id == run and j.store_url == store.place and not j.is_final), None)
        if job is not None:
            raise UsageError(f"run {run} is wanted by job {job.id}, which is {job.state}: seedbed stop {job.id} first")
    garbage = [Garbage(f"runs/{run}", "a run to forget", _size(store, f"runs/{run}")) for run in forget]
    for run in store.names("runs"):
        if run not in known:
            garbage.append(Garbage(f"runs/{run}", "what is left of a run", _size(store, f"runs/{run}")))
        elif run not in forget and not leases.is_held(runs.lease_name(run)):
            garbage += _leftovers(store, f"runs/{run}")
    reached = {step for run in known if run not in forget for step in _reached(store, run)}
    for name in store.names("steps"):
        if leases.is_held(name):
            continue
        if name not in reached:
            garbage.append(Garbage(f"steps/{name}", "no run reaches it", _size(store, f"steps/{name}")))
        else:
            garbage += _leftovers(store, f"steps/{name}")
    return garbage + _bundles(store, set(known) - set(forget), jobs) + _copies(state, jobs)


def _reached(store: Store, run: str) -> list[str]:
    """The artifacts that the run names. Raises CorruptDataError: while nobody knows what it reaches, nothing may go."""
    try:
        return [f"{step.kind}-{step.fingerprint}" for step in runs.load_plan(store, run).steps]
    except CorruptDataError as error:
        raise CorruptDataError(
            f"nothing is removed, as what run {run} reaches is not known: {error}. Or give it up with what it alone "
            f"reaches: seedbed gc --forget {run}"
        ) from error


def _bundles(store: Store, kept_runs: set[str], jobs: Sequence[Job]) -> list[Garbage]:
    """Of the store. A job that is over may be tried again while its run is there, also one of another registry."""
    reached = {digest for run in kept_runs for digest in bundle.kept_for(store, run)}
    here = [job for job in jobs if job.store_url == store.place]
    reached |= {job.bundle for job in here if not job.is_final or job.run_id in kept_runs}
    garbage = []
    for path, num_bytes in store.files(bundle.FOLDER).items():
        name = path.rpartition("/")[2]
        if name.startswith(TEMPORARY):
            garbage.append(Garbage(path, "a file that was never finished", num_bytes))
        elif name.removesuffix(".zip") not in reached:
            garbage.append(Garbage(path, "a bundle of no run that is kept and no job that goes on", num_bytes))
    return garbage


def _copies(state: StateDirectory, jobs: Sequence[Job]) -> list[Garbage]:
    """Of the state directory: what a cluster was sent, and can be had from the store again."""
    reached = {job.bundle for job in jobs if not job.is_final}
    garbage = []
    for path in sorted((state.root / bundle.FOLDER).glob("*")):
        try:
            name, found = f"{bundle.FOLDER}/{path.name}", path.stat()
        except FileNotFoundError:  # another cleaning, or its writer, was quicker
            continue
        if path.name.endswith(bundle.UNFINISHED):
            if time.time() - found.st_mtime > WRITING_S:
                garbage.append(Garbage(name, "a file that was never finished", found.st_size, in_state=True))
        elif path.stem not in reached:
            garbage.append(Garbage(name, "a copy of a bundle that no job needs now", found.st_size, in_state=True))
    return garbage


def collect(
    store: Store, state: StateDirectory, forget: tuple[str, ...] = (), jobs: Sequence[Job] = ()
) -> list[Garbage]:
    """Find garbage and remove it while no run can start; what was removed."""
    with Leases(store, state).hold(GC_LEASE):
        garbage = find_garbage(store, state, forget, jobs)
        for item in garbage:
            if item.in_state:
                (state.root / item.path).unlink(missing_ok=True)
            else:
                _remove(store, item.path)
    return garbage


def _remove(store: Store, path: str) -> None:
    """Cut short, a removal must leave nothing that looks whole: what commits a thing goes before what it commits."""
    for commit in ("run.json", "manifest.json", "units"):
        store.delete(f"{path}/{commit}")
    store.delete(path)


def _size(store: Store, folder: str) -> int:
    return sum(store.files(folder).values())


def _leftovers(store: Store, folder: str) -> list[Garbage]:
    found = store.files(folder)
    unfinished = [path for path in found if path.rsplit("/", 1)[-1].startswith(TEMPORARY)]
    leftovers = [Garbage(path, "a file that was never finished", found[path]) for path in unfinished]
    broken = {path[: path.index("/", path.index(BROKEN) + len(BROKEN))] for path in found if BROKEN in path}
    leftovers += [
        Garbage(path, "a checkpoint that could not be taken up", _size(store, path)) for path in sorted(broken)
    ]
    if f"{folder}/manifest.json" in found and any(path.startswith(f"{folder}/scratch/") for path in found):
        size = sum(size for path, size in found.items() if path.startswith(f"{folder}/scratch/"))
        leftovers.append(Garbage(f"{folder}/scratch", "work that a committed step no longer needs", size))
    return leftovers
