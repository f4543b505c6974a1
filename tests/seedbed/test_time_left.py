from dataclasses import replace

import pytest

from seedbed.plan import make_plan
from seedbed.runfile.load import load_run
from seedbed.scaling.time_and_money import Estimate
from seedbed.store import Store
from seedbed.time_left import run_seconds_left

DATA = ("extract", "clean", "annotate", "select", "deduplicate", "corpus", "tokenizer", "shards")


@pytest.fixture
def plan(run_file, tmp_path):
    """The training is predicted to take one to three hours."""
    made = make_plan(load_run(run_file), Store(str(tmp_path / "store")))
    return replace(made, hours=Estimate(1.0, 3.0))


def test_a_data_step_says_nothing_of_the_run_while_others_are_to_come(plan):
    assert run_seconds_left(plan, (), None, "extract", 60.0) is None


def test_up_to_the_last_step_it_is_the_step_alone(plan):
    assert run_seconds_left(plan, (), "extract", "extract", 60.0) == 60.0
    assert run_seconds_left(plan, DATA[:7], "shards", "shards", 5.0) == 5.0
    assert run_seconds_left(plan, DATA[:7], "shards", "shards", None) is None


def test_the_training_counts_as_planned_until_it_has_a_pace_of_its_own(plan):
    assert run_seconds_left(plan, DATA[:7], None, "shards", 5.0) == 5.0 + 2 * 3600
    assert run_seconds_left(plan, DATA, None, "ledger", None) == 2 * 3600
    assert run_seconds_left(plan, (*DATA, "ledger"), None, "pretrain", 100.0) == 100.0
    assert run_seconds_left(plan, (*DATA, "ledger"), None, "pretrain", None) is None
    assert run_seconds_left(replace(plan, hours=Estimate.unknown("?")), DATA, None, "ledger", 1.0) is None


def test_after_the_training_little_is_left(plan):
    assert run_seconds_left(plan, (*DATA, "ledger", "pretrain"), None, "evaluate", 3.0) == 3.0
