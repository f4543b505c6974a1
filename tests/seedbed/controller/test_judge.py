"""The table of verdicts: what is known of an attempt -> what became of it."""

import pytest

from seedbed.controller.judge import LOST_AFTER_S, LOST_PROBES, START_WITHIN_S, Facts, RayWord, in_short, judge
from seedbed.failures import FailureClass
from seedbed.registry.states import AttemptState, Desired, JobState

S, R, P = JobState.STARTING, JobState.RUNNING, JobState.STOPPING
FINISHED, STOPPED, FAILED, LOST = JobState.FINISHED, JobState.STOPPED, JobState.FAILED, JobState.LOST
RUN, STOP, STOP_NOW = Desired.RUN, Desired.STOP, Desired.STOP_NOW

RUNS = {"ray_answers": True, "ray": RayWord("RUNNING")}
HEARD = {"is_heard": True, "silent_s": 3.0}
SILENT = {"is_heard": True, "silent_s": 3600.0}
UNKNOWN = {"ray_answers": True, "unknown_probes": LOST_PROBES, "unknown_s": LOST_AFTER_S, "is_store_read": True}


def ended(status: str, code: int | None = None, message: str = "") -> dict:
    return {"ray_answers": True, "ray": RayWord(status, message, code), "is_store_read": True}


def word(state: str, code: int, failure: str | None = None, reason: str | None = None) -> dict:
    return {"end": {"state": state, "exit_code": code, "failure": failure, "reason": reason}}


@pytest.mark.parametrize(
    ("state", "desired", "facts", "becomes", "failure"),
    [
        # On its way.
        (S, RUN, {"ray_answers": True, "ray": RayWord("PENDING")}, S, None),
        (S, RUN, RUNS, S, None),
        (S, RUN, RUNS | HEARD, R, None),
        (R, RUN, RUNS | HEARD, R, None),
        (R, RUN, RUNS | SILENT, R, None),  # an alarm, and no verdict: Ray says that it runs
        (S, STOP, RUNS | HEARD, P, None),
        # Nobody can be asked: everything stays, however long.
        (S, RUN, {"ray_answers": False}, S, None),
        (R, RUN, {"ray_answers": False} | SILENT, R, None),
        (P, STOP, {"ray_answers": False} | SILENT, P, None),
        (S, RUN, {"ray_answers": False} | HEARD, R, None),  # but who is heard runs
        # Ray does not know it, and one probe is none.
        (R, RUN, {"ray_answers": True, "unknown_probes": 1, "is_store_read": True} | SILENT, R, None),
        (R, RUN, UNKNOWN | {"unknown_probes": LOST_PROBES - 1} | SILENT, R, None),
        (R, RUN, UNKNOWN | {"unknown_s": LOST_AFTER_S - 1} | SILENT, R, None),
        (R, RUN, UNKNOWN | {"is_store_read": False} | SILENT, R, None),
        (R, RUN, UNKNOWN | HEARD, R, None),
        (R, RUN, UNKNOWN | SILENT, LOST, FailureClass.NODE_LOST),
        (P, STOP, UNKNOWN | SILENT, STOPPED, None),
        (R, RUN, UNKNOWN | SILENT | {"is_complete": True}, FINISHED, None),
        (R, RUN, UNKNOWN | SILENT | {"is_complete": True, "is_partial": True}, STOPPED, None),
        (S, RUN, UNKNOWN | {"age_s": 30.0}, S, None),  # it is sent again
        (S, STOP, UNKNOWN | {"age_s": 30.0}, STOPPED, None),
        (S, RUN, UNKNOWN | {"age_s": START_WITHIN_S}, LOST, FailureClass.NODE_LOST),
        # Its own last word wins over everything.
        (R, RUN, RUNS | HEARD | word("finished", 0), FINISHED, None),
        (P, STOP, RUNS | word("finished", 0), FINISHED, None),
        (R, RUN, UNKNOWN | SILENT | word("finished", 0), FINISHED, None),
        (R, RUN, {"ray_answers": False} | word("finished", 0), FINISHED, None),
        (P, STOP, RUNS | word("stopped", 0, None, "ann asked to stop"), STOPPED, None),
        (R, RUN, RUNS | word("stopped", 0), STOPPED, None),  # --until
        (R, RUN, RUNS | word("stopped", 3, "budget", "spent"), STOPPED, FailureClass.BUDGET),
        (R, RUN, RUNS | word("failed", 2, "user_error", "wrong"), FAILED, FailureClass.USER_ERROR),
        (P, STOP, RUNS | word("failed", 2, "user_error", "wrong"), FAILED, FailureClass.USER_ERROR),
        (P, STOP, RUNS | word("failed", 1, "node_lost", "gone"), STOPPED, None),
        (R, RUN, RUNS | word("interrupted", 75, "preempted", "SIGTERM"), FAILED, FailureClass.PREEMPTED),
        (R, RUN, RUNS | word("interrupted", 130), FAILED, FailureClass.PREEMPTED),
        (P, STOP_NOW, RUNS | word("interrupted", 75, "preempted", "SIGTERM"), STOPPED, None),
        (R, RUN, RUNS | word("failed", 1, "melted", "a newer Seedbed's"), FAILED, FailureClass.UNKNOWN),
        # Ray says that it ended, and it left no word.
        (R, RUN, ended("FAILED", -9) | {"is_store_read": False}, R, None),
        (R, RUN, ended("FAILED", -9) | HEARD, FAILED, FailureClass.UNKNOWN),  # by whom, nobody says
        (R, RUN, ended("FAILED", -9, "killed due to memory pressure") | HEARD, FAILED, FailureClass.OUT_OF_MEMORY),
        (R, RUN, ended("FAILED", 1), FAILED, FailureClass.UNKNOWN),
        (S, RUN, ended("FAILED", 2, "said\nerror: no"), FAILED, FailureClass.USER_ERROR),
        (S, RUN, ended("FAILED", None, "runtime_env setup failed"), FAILED, FailureClass.USER_ERROR),
        (R, RUN, ended("FAILED", 1) | {"is_complete": True}, FINISHED, None),
        (R, RUN, ended("FAILED", None, "the job supervisor actor died"), FAILED, FailureClass.NODE_LOST),
        (P, STOP_NOW, ended("STOPPED"), STOPPED, None),
        (R, RUN, ended("STOPPED"), FAILED, FailureClass.PREEMPTED),
        (R, RUN, ended("SUCCEEDED", 0) | {"is_complete": True}, FINISHED, None),
        (R, RUN, ended("SUCCEEDED", 0) | {"run_state": "stopped"}, STOPPED, None),
        (R, RUN, ended("SUCCEEDED", 0), FAILED, FailureClass.UNKNOWN),
        # A machine that was cut off comes back and tells.
        (LOST, RUN, RUNS | HEARD, R, None),
        (LOST, STOP, RUNS | HEARD, R, None),  # first it runs again, then it is asked
        (LOST, RUN, UNKNOWN | SILENT, LOST, FailureClass.NODE_LOST),
        (LOST, RUN, UNKNOWN | SILENT | word("finished", 0), FINISHED, None),
    ],
)
def test_the_verdict(state, desired, facts, becomes, failure):
    verdict = judge(state, desired, Facts(**facts))
    assert (verdict.state, verdict.failure) == (becomes, failure)


def test_an_attempt_that_ray_never_got_is_sent_again_and_no_other():
    young = UNKNOWN | {"age_s": 30.0}
    assert judge(S, RUN, Facts(**young)).send_again
    assert not judge(R, RUN, Facts(**young | SILENT)).send_again
    assert not judge(S, RUN, Facts(**young | {"unknown_probes": 1})).send_again


def test_the_attempt_of_a_lost_job_is_lost_and_of_others_it_has_ended():
    assert judge(R, RUN, Facts(**UNKNOWN | SILENT)).attempt_state == AttemptState.LOST
    assert judge(R, RUN, Facts(**ended("FAILED", 1))).attempt_state == AttemptState.ENDED


def test_of_a_driver_s_output_the_error_is_told():
    message = "Job entrypoint command failed with exit code 2, last available logs (truncated):\nwell\nerror: no\nbye\n"
    assert in_short(message) == "Job entrypoint command failed with exit code 2: error: no"
    assert in_short("Job entrypoint command failed, last available logs:\nwell\nbye\n").endswith("failed: bye")
    assert in_short("failed with exit code -9, last available logs:\nstep 7\n") == "failed with exit code -9"
    assert in_short("The job supervisor died.") == "The job supervisor died."
    assert in_short("") == ""


@pytest.mark.parametrize(
    ("desired", "facts", "reason"),
    [
        (STOP_NOW, RUNS | word("interrupted", 75, "preempted", "SIGTERM"), "stopped at once by ann"),
        (STOP_NOW, RUNS | word("stopped", 0, None, "ann asked to stop at once"), "stopped at once by ann"),
        (STOP_NOW, ended("STOPPED", None, "stopped"), "stopped at once by ann"),
        (STOP, RUNS | word("stopped", 0, None, "ann asked to stop"), "ann asked to stop"),
        (STOP, RUNS | word("failed", 1, "node_lost", "gone"), "stopped by ann; its last attempt ended so: gone"),
    ],
)
def test_a_stop_that_was_asked_for_says_by_whom_and_is_no_failure(desired, facts, reason):
    verdict = judge(P, desired, Facts(**facts, asked_by="ann"))
    assert (verdict.state, verdict.failure, verdict.reason) == (STOPPED, None, reason)


def test_of_a_driver_that_was_killed_the_reason_says_who_may_have_done_it():
    reason = judge(R, RUN, Facts(**ended("FAILED", -9, "exit code -9"))).reason
    assert "SIGKILL comes from a person, or from the kernel where memory is short" in reason
