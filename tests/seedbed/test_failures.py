import errno

import pytest

from dataprep.errors import CorruptDataError, MachineError, SeedbedError
from jobs.ending import Stopped
from jobs.pretrain.task import Superseded, TrainingDiverged
from seedbed.errors import (
    BudgetPassed,
    BudgetRefused,
    CheckpointError,
    ConservationError,
    HangError,
    InfrastructureError,
    MemoryShortage,
    QuarantineError,
    RunFileError,
    SourceError,
    StoreError,
    UsageError,
)
from seedbed.failures import RETRY_RULES, FailureClass, Fault, classify


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (UsageError, "user_error"),
        (RunFileError, "user_error"),
        (SourceError, "user_error"),
        (Superseded, "user_error"),
        (StoreError, "user_error"),  # a full disk, a missing right
        (CorruptDataError, "data"),
        (ConservationError, "data"),
        (QuarantineError, "data"),
        (TrainingDiverged, "data"),
        (CheckpointError, "data"),
        (BudgetRefused, "budget"),
        (BudgetPassed, "budget"),
        (Stopped, "preempted"),
        (HangError, "hang"),
        (InfrastructureError, "node_lost"),
        (MachineError, "node_lost"),
        (MemoryShortage, "out_of_memory"),
        (MemoryError, "out_of_memory"),
        (SeedbedError, "unknown"),
        (KeyError, "unknown"),
    ],
)
def test_each_error_has_its_class(kind, expected):
    assert classify(kind("what was found")) == expected


def test_a_store_out_of_reach_is_nobodys_error():
    error = StoreError("cannot write s3://bucket/runs")
    error.transient = True
    assert classify(error) == "node_lost"


def test_errors_of_ray_and_torch_are_known_without_importing_them():
    class OutOfMemoryError(RuntimeError):  # as torch names it, and Ray
        pass

    class RayActorError(Exception):
        pass

    class ActorDiedError(RayActorError):
        pass

    assert classify(OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")) == "out_of_memory"
    assert classify(ActorDiedError("the actor died")) == "node_lost"
    assert classify(OSError(errno.ENOSPC, "No space left on device")) == "user_error"
    assert classify(OSError(errno.ENOMEM, "Cannot allocate memory")) == "out_of_memory"
    assert classify(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")) == "out_of_memory"


SUPERVISOR = "Job supervisor actor died: The actor died because its node has died."


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (2, "", "user_error"),
        (3, "", "budget"),
        (75, "", "preempted"),
        (143, "", "preempted"),
        (-15, "", "preempted"),
        (137, "", "unknown"),
        (-9, "", "unknown"),
        (127, "sh: 1: python: not found", "user_error"),
        (1, "failed with exit code 1, last available logs:\nerror: rank 0: OutOfMemoryError: CUDA", "out_of_memory"),
        (1, "failed with exit code 1. No logs available.", "unknown"),
        (139, "", "unknown"),
        (None, SUPERVISOR, "node_lost"),
        (None, "Task was killed due to the node running low on memory.", "out_of_memory"),
        (None, "runtime_env setup failed: no such package", "user_error"),
        (None, "", "unknown"),
    ],
)
def test_a_driver_without_a_word_is_judged_by_its_exit_code_and_by_ray(code, message, expected):
    assert classify((code, message)) == expected


def test_an_end_in_order_is_no_failure():
    with pytest.raises(ValueError, match="no failure"):
        classify((0, ""))


def test_every_class_has_its_rule_and_pauses_grow():
    assert set(RETRY_RULES) == set(FailureClass)
    rule = RETRY_RULES[FailureClass.NODE_LOST]
    assert [rule.pause_s(n) for n in (1, 2, 3, 4)] == [10, 20, 40, 80]
    assert rule.pause_s(100) == 600
    for mine in (FailureClass.USER_ERROR, FailureClass.DATA, FailureClass.BUDGET):
        assert RETRY_RULES[mine].max_retries == 0
    assert RETRY_RULES[FailureClass.PREEMPTED].max_retries is None
    assert {RETRY_RULES[kind].fault for kind in ("node_lost", "hang")} == {Fault.INFRASTRUCTURE}
