import pytest

from seedbed.fit import check_fit, memory_of_fullest
from seedbed.runfile.run import RunConfig

RUN = RunConfig.model_validate(
    {
        "name": "large",
        "data": {"sources": {"web": {"path": "crawl"}}, "tokenizer": {"vocab_size": 50304}},
        "model": {"num_layers": 24, "width": 2048, "num_heads": 16, "sequence_length": 2048, "vocab_size": 50304},
        "training": {
            "num_steps": 10,
            "global_batch_tokens": 64 * 2048,
            "micro_batch_sequences": 8,
            "learning_rate": 2e-4,
            "precision": "bf16",
        },
        "cluster": {"training_ranks": 4, "device": "cuda"},
    }
)
NEEDED = memory_of_fullest(RUN).total


def with_memory(num_bytes, run=RUN):
    return run.model_copy(update={"cluster": run.cluster.model_copy(update={"device_memory_bytes": num_bytes})})


def test_of_a_device_that_nothing_is_known_of_nothing_is_found():
    assert check_fit(RUN) is None


@pytest.mark.parametrize(
    ("share", "level"),
    # the plan is good to a tenth: refused is what is too much even a tenth smaller
    [(1.11, "pass"), (1.09, "warn"), (0.91, "warn"), (0.89, "refuse")],
)
def test_what_is_surely_too_much_is_refused_and_what_may_be_is_warned_of(share, level):
    finding = check_fit(with_memory(NEEDED * share))
    assert (finding.limit, finding.level, finding.measured) == ("cluster.hardware", level, NEEDED)


def test_1_3_billion_parameters_with_long_micro_batches_do_not_fit_into_40_gigabytes():
    run = RUN.model_copy(update={"cluster": RUN.cluster.model_copy(update={"hardware": "nvidia-a100-sxm4-40gb"})})
    finding = check_fit(run)
    assert finding.level == "refuse"
    assert "every rank takes weights 2.5 GiB + gradients 7.4 GiB + optimizer 3.7 GiB + activations " in finding.message
    assert "GiB of 37.3 GiB of memory (nvidia-a100-sxm4-40gb): does not fit; would fit with " in finding.message


def test_each_setting_that_alone_makes_it_fit_is_named_and_does():
    available = 45e9
    finding = check_fit(with_memory(available))
    nearest = {change.key: change.value for change in finding.nearest}
    assert nearest["training.micro_batch_sequences"] == "4"
    assert nearest["training.activation_checkpointing"] == "true"
    smaller = RUN.training.model_copy(update={"micro_batch_sequences": 4})
    assert check_fit(with_memory(available, RUN.model_copy(update={"training": smaller}))).level == "pass"


def test_what_deepspeed_cannot_do_is_not_advised():
    run = RUN.model_copy(update={"training": RUN.training.model_copy(update={"pipeline_stages": 2})})
    finding = check_fit(with_memory(20e9, run))
    assert {"training.zero_stage", "training.optimizer_offload"}.isdisjoint(change.key for change in finding.nearest)


def test_where_no_single_setting_helps_it_says_so():
    finding = check_fit(with_memory(1e9))
    assert (finding.level, finding.nearest) == ("refuse", ())
    assert finding.message.endswith("no single setting makes it fit: take a smaller model or stages")
