"""The last round over a cluster that goes down: what became of each of its jobs is written down.

The controller is ended before the jobs, as it would start them anew; nobody else hears their last words until the
cluster is up again. They are judged as the controller judges them.
"""

import math
import time
from collections.abc import Callable

from seedbed.controller.attempt_watch import AttemptWatch
from seedbed.controller.follow_up import FollowUp
from seedbed.controller.job_look import JobLook, is_partial, look_at_store
from seedbed.controller.judge import LOST_AFTER_S, LOST_PROBES, Facts, judge
from seedbed.controller.telling import STARTED
from seedbed.errors import StaleState, StoreError
from seedbed.registry.records import Attempt, Job
from seedbed.registry.registry import Registry
from seedbed.registry.states import FINAL, Desired
from seedbed.store import Store


def record_ends(registry: Registry, cluster: str, say: Callable[[str], None]) -> None:
    """Judge each job that was on the cluster, of which nothing runs any more. What cannot be told (its store does not
    answer, or it was never heard) stays for the controller of the next `up`. Raises RegistryError."""
    jobs = [job for job in registry.jobs(states=STARTED, limit=None) if job.cluster == cluster]
    attempts = registry.latest_attempts([job.id for job in jobs])
    follow_up = FollowUp(registry, lambda _: None)  # what became of them is said by who takes the cluster down
    silent: set[str] = set()  # stores that did not answer once: each further job would wait as long again
    for job in jobs:
        if job.id not in attempts:
            continue
        if job.store_url in silent:
            say(f"how job {job.id} ({job.run_id}) ended cannot be read now: its store did not answer before either")
            continue
        try:
            _record_end(registry, follow_up, job, attempts[job.id])
        except StaleState:
            continue  # another machine's controller was faster
        except StoreError as error:
            say(f"how job {job.id} ({job.run_id}) ended cannot be read now: {error}")
            if error.transient:
                silent.add(job.store_url)


def _record_end(registry: Registry, follow_up: FollowUp, job: Job, attempt: Attempt) -> None:
    watch = AttemptWatch(over_since=0.0)
    store = Store(job.store_url)
    look = look_at_store(store, [watch.question(job, attempt)])[attempt.submission_id]
    if look.fault is not None:
        raise StoreError(look.fault)
    watch.hear_store(look)
    attempt = follow_up.note_progress(attempt, watch)
    asked_by = "" if job.desired == Desired.RUN else follow_up.who_asked(job)
    verdict = judge(job.state, job.desired, _facts(job, attempt, look, asked_by))
    if verdict.state in FINAL:
        follow_up.end(job, attempt, verdict, message="")


def _facts(job: Job, attempt: Attempt, look: JobLook, asked_by: str) -> Facts:
    """Its processes were ended with their Ray, which therefore knows it no more."""
    return Facts(
        ray_answers=True,
        unknown_probes=LOST_PROBES,
        unknown_s=LOST_AFTER_S,
        is_heard=look.heartbeat is not None or bool(attempt.progress),
        silent_s=math.inf,
        end=look.end,
        is_store_read=True,
        run_state=look.run_state,
        is_complete=look.is_complete,
        is_partial=is_partial(job),
        damage=look.damage,
        age_s=time.time() - attempt.started_at,
        asked_by=asked_by,
    )
