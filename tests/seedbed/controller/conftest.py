"""Jobs and attempts as literals."""

from dataclasses import replace
from typing import Any

import pytest

from seedbed.registry.records import Attempt, Job
from seedbed.registry.states import AttemptState

_JOB = Job(
    key="k",
    run_id="small-1",
    name="small",
    project="default",
    owner="ann",
    cluster="local",
    store_url="/store",
    bundle="b",
    cpus=2,
    gpus=0,
    max_retries=3,
)


@pytest.fixture
def make_job():
    """`make_job(3, cpus=4)`: a job of its own run."""

    def make(number: int, **changes: Any) -> Job:
        return replace(_JOB, **{"id": number, "run_id": f"small-{number}"} | changes)

    return make


@pytest.fixture
def make_attempts():
    """`make_attempts("node_lost", "preempted")`: attempts from 1 that ended so."""

    def make(*failures: str | None) -> list[Attempt]:
        return [
            Attempt(1, number, f"s-1-{number}", AttemptState.ENDED, 0.0, failure=failure)
            for number, failure in enumerate(failures, start=1)
        ]

    return make
