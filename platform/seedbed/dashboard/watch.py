"""What the dashboard sees: registry and stores, looked at by threads of this process however many people look on.

Each place has a thread of its own, so that one which does not answer holds up no look at another. What was seen last
stays, with the time it was seen: pages say how old it is.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from seedbed import reports, runs
from seedbed.controller.silence import check_controller
from seedbed.errors import UsageError
from seedbed.registry.adopt import see_runs
from seedbed.registry.records import Alarm, Attempt, Cluster, Event, Job, Run
from seedbed.registry.registry import Registry
from seedbed.registry.states import ACTIVE, ClusterState
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking.place import TrackingPlace, is_server

ACTOR = "dashboard"
REGISTRY_EVERY_S = 1.0
MLFLOW_EVERY_S = 10.0
STORE_EVERY_S, REMOTE_STORE_EVERY_S = 2.0, 10.0
MAX_RUNS, MAX_JOBS, MAX_EVENTS = 500, 500, 50
LOST_AFTER_S = 15.0
"""A place that has not answered for so long is out of reach; shorter is the ordinary pause between two looks."""


@dataclass(frozen=True)
class Place:
    """How registry or store answers."""

    name: str
    heard_at: float | None = None  # when it answered last
    fault: str | None = None  # why it did not at the last look
    asked_since: float | None = None  # when it was first asked

    def out_of_reach_since(self, now: float) -> float | None:
        """When it was heard last, where that is too long ago (0 for never); None while it answers."""
        last = self.heard_at or self.asked_since  # one that hangs at its first look was never heard
        if self.fault is None and (last is None or now - last < LOST_AFTER_S):
            return None
        return self.heard_at or 0.0


@dataclass(frozen=True)
class View:
    """What was seen last."""

    registry: Place
    stores: tuple[Place, ...]
    runs: tuple[Run, ...] = ()  # newest first
    jobs: tuple[Job, ...] = ()  # newest first: all that are not over, and the newest of the others
    attempts: dict[int, Attempt] = field(default_factory=dict)  # the newest of each job
    clusters: tuple[Cluster, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    events: tuple[Event, ...] = ()  # newest first
    heartbeats: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  # (store, run id) -> the newest
    mlflow: dict[str, bool] = field(default_factory=dict)  # URI of a server -> whether it answers

    def run(self, run_id: str, store_url: str | None = None) -> Run:
        """The newest run with this id. Raises UsageError."""
        for run in self.runs:
            if run.run_id == run_id and store_url in (None, run.store_url):
                return run
        raise UsageError(f"no run {run_id} is known here; the list of runs has the newest {MAX_RUNS}")

    def job_of(self, run: Run) -> Job | None:
        """The newest job of the run."""
        return next((j for j in self.jobs if (j.run_id, j.store_url) == (run.run_id, run.store_url)), None)

    def heartbeat(self, run_id: str, store_url: str) -> dict[str, Any] | None:
        return self.heartbeats.get((store_url, run_id))

    def store_lost_since(self, store_url: str, now: float) -> float | None:
        """When the store was heard last, if it is out of reach; None where it answers, or is none of ours."""
        return next((place.out_of_reach_since(now) for place in self.stores if place.name == store_url), None)


class Watch:
    """The threads that look, and what they have seen."""

    def __init__(self, registry: Registry, stores: list[Store], state: StateDirectory) -> None:
        self.registry, self.state = registry, state
        self.stores = {store.place: store for store in stores}
        self._places = {name: Place(name) for name in (registry.name, *self.stores)}
        self._seen: dict[str, Any] = {}
        self._heartbeats: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        self._mlflow: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Look once at everything that answers at once, then go on in threads."""
        self._places = {name: replace(place, asked_since=time.time()) for name, place in self._places.items()}
        self._begin(self.registry.name, REGISTRY_EVERY_S, self._look_at_registry)
        for store in self.stores.values():
            every_s = STORE_EVERY_S if store.is_local else REMOTE_STORE_EVERY_S
            self._begin(store.place, every_s, partial(self._look_at_store, store))
        self._begin("", MLFLOW_EVERY_S, self._look_at_mlflow)

    def stop(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(REGISTRY_EVERY_S)

    def view(self) -> View:
        """What was seen last: cheap, and the same for everybody until the next look."""
        with self._lock:
            stores = tuple(self._places[name] for name in self.stores)
            beats = {key: beat for found in self._heartbeats.values() for key, beat in found.items()}
            return View(
                self._places[self.registry.name], stores, **self._seen, heartbeats=beats, mlflow=dict(self._mlflow)
            )

    def store(self, place: str) -> Store:
        """Raises UsageError where the dashboard was not told of it."""
        if place not in self.stores:
            raise UsageError(f"the store {place} is not watched here: start the dashboard with --store {place} as well")
        return self.stores[place]

    def look_at_registry(self) -> None:
        """Now, as after a change that was made there."""
        self._try(self.registry.name, self._look_at_registry)

    def look_at_store(self, place: str) -> None:
        """Now; what is new in it stands in the registry then."""
        self._try(place, partial(self._look_at_store, self.stores[place]))

    def _begin(self, name: str, every_s: float, look: Callable[[], None]) -> None:
        def go_on() -> None:
            while not self._ending.is_set():
                self._try(name, look)
                self._ending.wait(every_s)

        thread = threading.Thread(target=go_on, name=f"watch {name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _try(self, name: str, look: Callable[[], None]) -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001 - whatever it is, pages say so and show what was seen before
            with self._lock:
                if name not in self._places:
                    return
                self._places[name] = replace(self._places[name], fault=str(error) or type(error).__name__)
        else:
            with self._lock:
                if name in self._places:
                    self._places[name] = replace(self._places[name], heard_at=time.time(), fault=None)

    def _look_at_registry(self) -> None:
        registry = self.registry
        active = registry.jobs(states=ACTIVE, limit=None)
        if active or any(cluster.state != ClusterState.DOWN for cluster in registry.clusters()):
            check_controller(registry, ACTOR)  # else it was taken down on purpose, and nobody misses it
        jobs = {job.id: job for job in [*active, *registry.jobs(limit=MAX_JOBS)]}
        seen = {
            "runs": tuple(registry.runs(limit=MAX_RUNS)),
            "jobs": tuple(jobs[number] for number in sorted(jobs, reverse=True)),
            "attempts": registry.latest_attempts(list(jobs)),
            "clusters": tuple(registry.clusters()),
            "alarms": tuple(registry.alarms()),
            "events": tuple(registry.events(limit=MAX_EVENTS, newest_first=True)),
        }
        with self._lock:
            self._seen = seen

    def _look_at_mlflow(self) -> None:
        uris = {cluster.mlflow_uri for cluster in self.view().clusters if cluster.mlflow_uri}
        found = {uri: TrackingPlace(uri, "", None).answers() for uri in uris if is_server(uri)}
        with self._lock:
            self._mlflow = found

    def _look_at_store(self, store: Store) -> None:
        see_runs(self.registry, store, self.state)
        heard = {}
        for run in self.registry.runs(state=runs.RUNNING, store_url=store.place, limit=None):
            beat = newest_heartbeat(store, run.run_id)
            if beat is not None:
                heard[store.place, run.run_id] = beat
        with self._lock:
            self._heartbeats[store.place] = heard


def newest_heartbeat(store: Store, run_id: str) -> dict[str, Any] | None:
    """The last word of the run's newest attempt, None before there is one. Raises StoreError."""
    attempt = reports.latest_attempt(store, run_id)
    return None if attempt is None else reports.read_heartbeat(store, run_id, attempt)
