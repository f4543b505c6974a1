"""The controller at work: look, judge, act, again and again."""

import contextlib
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from seedbed import reports
from seedbed.controller.attempt_watch import AttemptWatch
from seedbed.controller.background import Background
from seedbed.controller.cluster_look import ClusterLook, look_at_cluster
from seedbed.controller.cluster_watch import ClusterWatch
from seedbed.controller.dispatch import dispatch, end_in_ray
from seedbed.controller.follow_up import ACTOR, FollowUp
from seedbed.controller.job_look import look_at_store
from seedbed.controller.judge import judge
from seedbed.controller.lead import Lead
from seedbed.controller.queue import Decision, arrange
from seedbed.controller.telling import STARTED, raise_alarms, report
from seedbed.errors import RegistryError, RegistryUnreachable, StaleState, UsageError
from seedbed.registry.adopt import see_runs
from seedbed.registry.records import Attempt, Cluster, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import ACTIVE, FINAL, ClusterState, Desired, JobState
from seedbed.state import StateDirectory
from seedbed.store import Store

TICK_S = 0.5
CLUSTER_EVERY_S = 2.0
STORE_EVERY_S, REMOTE_STORE_EVERY_S = 2.0, 10.0
RUNS_EVERY_S = 15.0
REPORT_EVERY_S = 5.0
LATE_WORD_S = 3600.0  # so long a lost job may come back by itself: a machine that was cut off
IN_ORDER_S = 10.0  # at the end, for what is under way
MAX_DEFECTS = 1000  # that are remembered, so as to be said once; some say a time or a number that is never the same


class Controller:
    """One registry's. `tick` is one round; nothing in it waits for Ray or for a store."""

    def __init__(self, registry: Registry, state: StateDirectory, say: Callable[[str], None]) -> None:
        self._registry, self._state, self._say = registry, state, say
        self._background = Background()
        self._clusters: dict[str, ClusterWatch] = defaultdict(ClusterWatch)
        self._attempts: dict[str, AttemptWatch] = {}  # by submission id
        self._stores: dict[str, Store] = {}
        self._store_faults: dict[str, str] = {}
        self._looked_at: dict[tuple[str, str], float] = {}
        self._reported_at = 0.0
        self._defects: dict[str, None] = {}  # what was said of them, the oldest first
        self._follow_up = FollowUp(registry, say)

    def run(self, ending: threading.Event) -> None:
        """Work until `ending`, and leave in order."""
        lead, leads, fault = Lead(self._registry), None, None
        while not ending.wait(TICK_S):
            try:
                led = lead.renew()
                if led != leads:
                    self._say("leading" if led else "another controller leads: waiting")
                    leads = led
                if led:
                    self.tick()
                fault = None
            except StaleState:
                continue  # somebody was faster: decided anew in the next round
            except RegistryError as error:  # out of reach, or its disk is full: it may go again in the next round
                if str(error) != fault:
                    self._say(str(error))
                fault = str(error)
        until = time.monotonic() + IN_ORDER_S
        while self._background.num_under_way and time.monotonic() < until:
            self._take_results(wait_s=0.2)
        if leads:
            with contextlib.suppress(RegistryError):
                lead.give_up()
        self._say("ended in order")

    def tick(self) -> None:
        """One round. Raises RegistryError."""
        self._try("to take in answers", self._take_results, 0.0)
        clusters = {row.name: row for row in self._registry.clusters()}
        jobs = self._registry.jobs(states=ACTIVE, limit=None)
        lost = [job for job in self._registry.jobs(states={JobState.LOST}) if _may_come_back(job)]
        attempts = self._registry.latest_attempts([job.id for job in (*jobs, *lost) if job.state != JobState.QUEUED])
        for gone in self._attempts.keys() - {attempt.submission_id for attempt in attempts.values()}:
            del self._attempts[gone]
        followed = [(job, attempts[job.id]) for job in (*jobs, *lost) if job.id in attempts]
        self._try("to look", self._look, clusters, followed)
        for job, attempt in followed:
            if job.cluster in clusters:
                what = f"job {job.id}"
                self._try(what, self._follow, job, attempt, clusters[job.cluster], pass_over=(StaleState, UsageError))
        self._try("to start what waits", self._start_queued, clusters)
        if time.time() - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = time.time()
            self._try("to report", self._tell, clusters, followed)

    def _try(
        self,
        what: str,
        part: Callable[..., None],
        *arguments: Any,
        pass_over: tuple[type[Exception], ...] = (StaleState,),
    ) -> None:
        """What goes wrong with one part of a round, or with one job, holds up no other. Of a job that is followed a
        UsageError is to be passed over: the same was submitted again meanwhile."""
        try:
            part(*arguments)
        except pass_over:
            pass
        except RegistryUnreachable:
            raise  # it is so for all
        except Exception as error:  # noqa: BLE001 - a full disk, or a defect: said once, and tried again in the next round
            self._say_once(f"{what}: {type(error).__name__}: {error}", f"\n{traceback.format_exc()}")

    def _say_once(self, said: str, more: str = "") -> None:
        if said in self._defects:
            return
        self._defects[said] = None
        if len(self._defects) > MAX_DEFECTS:
            del self._defects[next(iter(self._defects))]
        self._say(said + more)

    def _tell(self, clusters: Mapping[str, Cluster], followed: Sequence[tuple[Job, Attempt]]) -> None:
        watches = [(job, attempt, self._watch(attempt)) for job, attempt in followed]
        report(self._registry, clusters, self._clusters, watches)
        # A store that no job needs any more is not asked again: nobody would hear that it answers.
        needed = {job.store_url for job, _ in followed}
        self._store_faults = {url: why for url, why in self._store_faults.items() if url in needed}
        raise_alarms(self._registry, clusters, self._clusters, watches, self._store_faults)

    # --- looking

    def _look(self, clusters: Mapping[str, Cluster], followed: Iterable[tuple[Job, Attempt]]) -> None:
        on_cluster: dict[str, list[str]] = defaultdict(list)
        for job, attempt in followed:
            on_cluster[job.cluster].append(attempt.submission_id)
        for name, row in clusters.items():
            watch = self._clusters[name]
            if row.state != ClusterState.DOWN and self._is_due("cluster", name, CLUSTER_EVERY_S):
                session = watch.look.session if watch.look and watch.look.session and not watch.num_failed else None
                self._background.start(("cluster", name), _call(look_at_cluster, row, session, on_cluster[name]))
        by_store: dict[str, list[tuple[Job, Attempt]]] = defaultdict(list)
        for job, attempt in followed:
            by_store[job.store_url].append((job, attempt))
        for url, found in by_store.items():
            is_local = "://" not in url
            if self._is_due("store", url, STORE_EVERY_S if is_local else REMOTE_STORE_EVERY_S):
                questions = [self._watch(attempt).question(job, attempt) for job, attempt in found]
                self._background.start(("store", url), _call(self._look_at_store, url, questions))
            if self._is_due("runs", url, RUNS_EVERY_S):
                self._background.start(("runs", url), _call(self._see_runs, url))

    def _is_due(self, kind: str, name: str, every_s: float) -> bool:
        now = time.monotonic()
        if self._background.is_under_way((kind, name)) or now - self._looked_at.get((kind, name), -1e9) < every_s:
            return False
        self._looked_at[kind, name] = now
        return True

    def _look_at_store(self, url: str, questions: Any) -> Any:
        return look_at_store(self._store(url), questions)

    def _see_runs(self, url: str) -> None:
        see_runs(self._registry, self._store(url), self._state)

    def _store(self, url: str) -> Store:
        if url not in self._stores:
            self._stores[url] = Store(url)
        return self._stores[url]

    def _watch(self, attempt: Attempt) -> AttemptWatch:
        return self._watch_of(attempt.submission_id)

    def _watch_of(self, submission_id: str) -> AttemptWatch:
        return self._attempts.setdefault(submission_id, AttemptWatch())

    def _take_results(self, wait_s: float) -> None:
        for key, result in self._background.results(wait_s):
            assert isinstance(key, tuple)
            kind, name = key[:2]
            if kind == "cluster":
                self._clusters[name].hear(result)
                for submission_id, fault in result.untold.items() if isinstance(result, ClusterLook) else ():
                    self._say_once(f"{submission_id} cannot be asked for: {fault}")
            elif kind == "store":
                self._hear_store(name, result)
            elif kind == "send":
                self._follow_up.sent(self._watch_of(name), name, result)
            elif isinstance(result, BaseException):
                self._say(f"{' '.join(map(str, key))}: {result}")
            elif kind == "end":
                self._watch_of(name).told_ray.add(key[2])

    def _hear_store(self, url: str, result: Any) -> None:
        if isinstance(result, BaseException):
            self._store_faults[url] = str(result)
            return
        self._store_faults.pop(url, None)
        for submission_id, look in result.items():
            if submission_id in self._attempts:
                self._attempts[submission_id].hear_store(look)

    # --- acting

    def _follow(self, job: Job, attempt: Attempt, row: Cluster) -> None:
        watch, cluster = self._watch(attempt), self._clusters[job.cluster]
        if self._background.is_under_way(("send", attempt.submission_id)):
            return
        watch.hear_ray(cluster, row, attempt.submission_id, time.time())
        attempt = self._follow_up.note_progress(attempt, watch)
        asked_by = "" if job.desired == Desired.RUN else self._follow_up.who_asked(job)
        facts = watch.facts(job, attempt, cluster, row, "://" not in job.store_url, asked_by)
        verdict = watch.verdict or judge(job.state, job.desired, facts)
        if verdict.send_again:
            if job.state == JobState.STARTING:
                self._send(job, attempt, row)
        elif verdict.state in FINAL:
            if verdict.state != job.state:
                message = watch.word.message if watch.word else ""
                self._follow_up.end(job, attempt, verdict, message)
            return
        else:
            job = self._follow_up.go_on(job, attempt, verdict, is_heard=watch.sequence is not None)
        if job.desired != Desired.RUN and job.state in STARTED:
            self._pass_on_request(job, attempt, row, watch)

    def _send(self, job: Job, attempt: Attempt, row: Cluster) -> None:
        dashboard_url = self._registry.dashboard_url()

        def send() -> bool:
            return dispatch(job, attempt, row, self._store(job.store_url), self._state, dashboard_url)

        self._background.start(("send", attempt.submission_id), send)

    def _pass_on_request(self, job: Job, attempt: Attempt, row: Cluster, watch: AttemptWatch) -> None:
        """Into the store, where the driver hears of it; and to Ray, where it is to be now or nobody hears yet."""
        request = watch.look.request if watch.look else None
        is_told = request is not None and (request.job, request.desired) == (job.id, job.desired)
        if watch.look is not None and not is_told:
            by = self._follow_up.who_asked(job)

            def ask() -> None:
                reports.ask(self._store(job.store_url), job.run_id, job.desired, by, job=job.id)

            self._background.start(("ask", attempt.submission_id), ask)
        knows = watch.word is not None and self._clusters[job.cluster].answers
        was_heard = watch.sequence is not None or bool(attempt.progress)  # the latter: by a controller before this one
        is_at_once = job.desired == Desired.STOP_NOW or not was_heard
        if is_at_once and knows and job.desired not in watch.told_ray:
            call = _call(end_in_ray, attempt.submission_id, row)
            self._background.start(("end", attempt.submission_id, job.desired), call)

    def _start_queued(self, clusters: Mapping[str, Cluster]) -> None:
        jobs = self._registry.jobs(states=ACTIVE, limit=None)
        queued = []
        for job in jobs:
            if job.state == JobState.QUEUED and job.desired != Desired.RUN:
                self._try(f"to stop job {job.id}", self._stop_queued, job)
            elif job.state == JobState.QUEUED:
                queued.append(job)
        if not queued:
            return
        rooms = {name: self._clusters[name].room(row) for name, row in clusters.items()}
        awaited = {job.after: self._registry.job(job.after) for job in queued if job.after is not None}
        reserving = [job for job in jobs if job.state in STARTED]
        for decision in arrange(queued, reserving, rooms, awaited, time.time()):
            self._try(f"to start job {decision.job.id}", self._carry_out, decision, clusters)

    def _stop_queued(self, job: Job) -> None:
        self._registry.move(job, JobState.STOPPED, reason="stopped before it began", actor=ACTOR)

    def _carry_out(self, decision: Decision, clusters: Mapping[str, Cluster]) -> None:
        if decision.to == JobState.STARTING:
            job, attempt = self._registry.begin_attempt(decision.job, reason=decision.reason, actor=ACTOR)
            self._say(f"job {job.id} ({job.run_id}): attempt {attempt.number} on {job.cluster}")
            self._send(job, attempt, clusters[job.cluster])
        elif decision.to == JobState.FAILED:
            self._registry.move(decision.job, JobState.FAILED, reason=decision.reason, actor=ACTOR)
        else:
            self._registry.explain(decision.job, decision.reason)


def _may_come_back(job: Job) -> bool:
    return job.ended_at is not None and time.time() - job.ended_at < LATE_WORD_S


def _call(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(*arguments)
