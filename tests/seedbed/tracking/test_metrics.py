from pathlib import Path

import pytest

from seedbed.spending import Price, Spending
from seedbed.tracking import metrics
from seedbed.tracking.metrics import RunFacts, step_values
from seedbed.tracking.settle import Attempt, Step

FACTS = RunFacts(model_flops_per_token=6_000, validation_tokens=300, validation_bytes=1_000)
RECORD = {
    "step": 7,
    "time": 1000.5,
    "loss": 2.0,
    "learning_rate": 1e-3,
    "gradient_norm": 0.5,
    "clip_coefficient": 1.0,
    "tokens": 7 * 512,
    "seconds": 0.25,
    "data_s": 0.05,
    "forward_backward_s": 0.15,
    "optimizer_s": 0.05,
    "tokens_per_second": 2048.0,
    "samples": [48, 56],
    "validation_loss": 2.5,
    "peak_memory_bytes": 3_500_000,
    "loss_scale": 1024.0,
}


def attempt(peak=None, num_ranks=2):
    return Attempt("a-1", "1", 0.0, num_ranks, {}, peak)


def values(record=RECORD, settled=True, **more):
    return dict(step_values(Step(record, **more), FACTS, settled))


def test_everything_that_a_full_record_tells():
    told = values(attempt=attempt(peak=1e8), goodput=0.9, clipped_share=0.25)
    assert told == pytest.approx(
        {
            "train/loss": 2.0,
            "train/perplexity": 7.38905609893065,  # exp 2
            "train/learning_rate": 1e-3,
            "train/gradient_norm": 0.5,
            "train/clip_coefficient": 1.0,
            "train/clipped_share": 0.25,
            "train/loss_scale": 1024.0,
            "train/tokens": 3584.0,
            "train/samples": 56.0,
            "validation/loss": 2.5,
            "validation/perplexity": 12.182493960703473,  # exp 2.5
            "validation/bits_per_byte": 2.5 / 0.6931471805599453 * 0.3,  # 300 tokens to 1,000 bytes
            "speed/tokens_per_second": 2048.0,
            "speed/step_seconds": 0.25,
            "speed/data_seconds": 0.05,
            "speed/forward_backward_seconds": 0.15,
            "speed/optimizer_seconds": 0.05,
            "speed/mfu": 2048 * 6_000 / (2 * 1e8),
            "speed/goodput": 0.9,
            "memory/peak_megabytes": 3.5,
        }
    )
    assert list(told) == [metric.name for metric in metrics.STEP_METRICS]


def test_what_a_record_does_not_have_is_left_out():
    assert values({"step": 1, "time": 1.0, "loss": 3.0}).keys() == {"train/loss", "train/perplexity"}
    skipped = RECORD | {"gradient_norm": None, "clip_coefficient": None}  # fp16, after an overflow
    assert values(skipped).keys() & {"train/gradient_norm", "train/clip_coefficient", "train/clipped_share"} == set()


def test_a_peak_that_is_unknown_gives_no_mfu():
    assert "speed/mfu" not in values(attempt=attempt(peak=None))
    assert "speed/mfu" not in values(attempt=None)


def test_a_perplexity_beyond_a_float_is_left_out():
    told = values(RECORD | {"loss": 800.0})
    assert told["train/loss"] == 800.0
    assert "train/perplexity" not in told


def test_an_attempt_gets_nothing_that_only_settled_steps_know():
    assert not {"speed/goodput", "train/clipped_share"} & values(settled=False, goodput=0.5, clipped_share=0.5).keys()


def test_a_number_that_nobody_declared_is_shown_and_not_dropped():
    assert metrics.undeclared(RECORD) == set()
    assert values(RECORD | {"entropy": 1.5, "note": "text"})["other/entropy"] == 1.5


def test_everything_that_a_count_of_spending_says_is_declared():
    spending = Spending()
    spending.take_step(1, 1.0)
    spending.pass_time(7200.0, num_ranks=4)
    event = {"event": "spending", "time": 1.0, **spending.summary(Price(2, 10**21, 3.0))}
    assert event.keys() - {"event", "time"} == {name for metric in metrics.SPENDING for name in metric.fields}
    told = dict(metrics.spending_values(event))
    assert len(told) == len(metrics.SPENDING)
    spent = [told[f"spending/{name}"] for name in ("flops", "wall_hours", "device_hours", "cost", "steps_taken")]
    assert spent == [1e21, 2.0, 8.0, 24.0, 1.0]
    # one step more, of one second on 4 ranks
    assert told["spending/forecast_cost"] == pytest.approx((2 + 1 / 3600) * 4 * 3)


def test_names_are_declared_once_and_mlflow_takes_them():
    declared = (
        *metrics.STEP_METRICS,
        *metrics.SPENDING,
        *metrics.EVALUATION,
        *metrics.GROUPS,
        *metrics.STEP_RESULTS,
        *metrics.SYSTEM,
    )
    names = [metric.name for metric in declared]
    assert len(set(names)) == len(names)
    assert all(name.count("/") == 1 for name in names if "{node}" not in name)
    assert all(metric.unit and metric.description for metric in declared)


def test_the_table_in_the_docs_is_this_one():
    page = Path(__file__).parents[3] / "docs" / "tracking.md"
    assert metrics.table() in page.read_text()
