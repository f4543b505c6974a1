"""Every supported layout against one plain process, and mutants that must not pass for it."""

import pytest

from jobs.pretrain.conform.case import cases_of
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

pytestmark = pytest.mark.slow

MODEL = ModelConfig(num_layers=4, width=32, num_heads=2, sequence_length=16, vocab_size=300)
UNTIED = MODEL.model_copy(update={"tied_embeddings": False})
SEQUENCES = 14  # 2 ranks: micro batches of 7 fit once; of 4 twice with 2 rows of padding; of 2 four times with 2

TWO_RANKS = [
    *({"zero_stage": stage, "micro_batch_sequences": micro} for stage in (0, 1, 2, 3) for micro in (7, 4, 2)),
    *({"zero_stage": stage, "precision": "bf16", "micro_batch_sequences": 2} for stage in (1, 2, 3)),
    *({"zero_stage": stage, "precision": "fp16", "micro_batch_sequences": 2} for stage in (1, 2, 3)),
    *({"zero_stage": stage, "activation_checkpointing": True} for stage in (0, 3)),
    *({"zero_stage": stage, "optimizer_offload": "cpu", "micro_batch_sequences": 2} for stage in (1, 2, 3)),
    *(
        {"zero_stage": stage, "optimizer_offload": "cpu", "precision": precision}
        for precision in ("bf16", "fp16")
        for stage in (1, 2, 3)
    ),
]
FOUR_RANKS = [
    *(
        {"zero_stage": stage, "pipeline_stages": stages, "micro_batch_sequences": micro}
        for stage in (0, 1)
        for stages in (2, 4)
        for micro in (1, 3)
    ),
    *({"zero_stage": 1, "pipeline_stages": stages, "precision": "bf16"} for stages in (2, 4)),
    *({"zero_stage": 1, "pipeline_stages": stages, "precision": "fp16"} for stages in (2, 4)),
    *(
        {"zero_stage": 1, "pipeline_stages": 2, "precision": precision, "optimizer_offload": "cpu"}
        for precision in ("fp32", "bf16", "fp16")
    ),
    {"zero_stage": 1, "pipeline_stages": 2, "activation_checkpointing": True},
    {"zero_stage": 3, "micro_batch_sequences": 3},
]

SOME_OF_TWO = [
    {"zero_stage": 0, "micro_batch_sequences": 4},
    {"zero_stage": 1, "micro_batch_sequences": 7},
    {"zero_stage": 2, "micro_batch_sequences": 2},
    {"zero_stage": 1, "precision": "bf16", "micro_batch_sequences": 2},
    {"zero_stage": 2, "precision": "fp16", "micro_batch_sequences": 2},
    {"zero_stage": 3, "activation_checkpointing": True},
    {"zero_stage": 1, "optimizer_offload": "cpu", "micro_batch_sequences": 2},
    {"zero_stage": 2, "optimizer_offload": "cpu", "precision": "bf16"},
    {"zero_stage": 3, "optimizer_offload": "cpu", "precision": "fp16"},
]
SOME_OF_FOUR = [
    {"zero_stage": 0, "pipeline_stages": 4, "micro_batch_sequences": 3},
    {"zero_stage": 1, "pipeline_stages": 2, "micro_batch_sequences": 1},
    {"zero_stage": 1, "pipeline_stages": 4, "precision": "bf16"},
    {"zero_stage": 1, "pipeline_stages": 2, "precision": "fp16"},
    {"zero_stage": 1, "pipeline_stages": 2, "precision": "bf16", "optimizer_offload": "cpu"},
    {"zero_stage": 1, "pipeline_stages": 2, "activation_checkpointing": True},
    {"zero_stage": 3, "micro_batch_sequences": 3},
]
"""Each value of each key at least once; the whole matrix is thorough."""
assert all(layout in TWO_RANKS for layout in SOME_OF_TWO)
assert all(layout in FOUR_RANKS for layout in SOME_OF_FOUR)


def training(keys):
    base = {"num_steps": 3, "global_batch_tokens": SEQUENCES * 16, "micro_batch_sequences": 2, "learning_rate": 0.01}
    return TrainingConfig(**base | keys)


def results(train, layouts, model=MODEL, mutate=None):
    """What the group's rank 0 says of each layout, in one call."""
    cases = [case for keys in layouts for case in cases_of(model, training(keys))]

    def compare():
        import torch
        from deepspeed.accelerator import get_accelerator

        from jobs.pretrain.conform.run import conform

        # DeepSpeed refuses fp16 where a CPU has no instructions for it, though torch computes it there, slowly.
        get_accelerator().is_fp16_supported = lambda: True
        torch.set_num_threads(1)
        return conform(cases, mutate=mutate)

    return train.call(compare)[0]


def failures(found):
    return [
        f"{result.case}: {check.what}, step {check.step}: {check.error:.1e} is above {check.limit:.1e}"
        for result in found
        for check in result.checks
        if not check.passed
    ]


@pytest.mark.parametrize(
    ("num_ranks", "layouts"),
    [
        pytest.param(2, SOME_OF_TWO, id="2 ranks"),
        pytest.param(4, SOME_OF_FOUR, id="4 ranks"),
        pytest.param(2, TWO_RANKS, id="2 ranks, all", marks=pytest.mark.thorough),
        pytest.param(4, FOUR_RANKS, id="4 ranks, all", marks=pytest.mark.thorough),
    ],
)
def test_every_layout_computes_what_one_process_does(groups, num_ranks, layouts):
    found = results(groups[num_ranks], layouts)
    assert len(found) == 2 * len(layouts)
    assert failures(found) == []


def test_untied_embeddings_too(groups):
    layouts = [{"zero_stage": 3}, {"zero_stage": 1, "pipeline_stages": 2}]
    assert failures(results(groups[4], layouts, UNTIED)) == []


def test_an_engine_leaves_no_process_group_behind(groups):
    """A group that stays keeps threads and connections: with some hundred of them a machine does nothing else."""

    def count():
        from pathlib import Path

        return sum("gloo" in (task / "comm").read_text() for task in Path("/proc/self/task").iterdir())

    layouts = [{"zero_stage": 1, "pipeline_stages": 2}, {"zero_stage": 0, "pipeline_stages": 4}]
    results(groups[4], layouts)  # the first engine makes what DeepSpeed keeps for all
    before = groups[4].call(count)
    assert min(before) > 0
    results(groups[4], layouts)
    assert groups[4].call(count) == before


GROWING = [
    (2, [{"zero_stage": stage, "precision": "fp16", "micro_batch_sequences": 4} for stage in (1, 2, 3)]),
    (4, [{"zero_stage": 1, "pipeline_stages": 2, "precision": "fp16", "micro_batch_sequences": 2}]),
]


@pytest.fixture
def growing_at_each_step(groups):
    """The loss scale of fp16 doubles in the second step and the third, not after a thousand."""

    def window(steps):
        import jobs.pretrain.engine

        jobs.pretrain.engine.LOSS_SCALE_WINDOW = steps

    for num_ranks in (2, 4):
        groups[num_ranks].call(window, 1)
    yield
    for num_ranks in (2, 4):
        groups[num_ranks].call(window, 1000)


def with_deepspeeds_own_scale_growth(engine):
    optimizer = engine.wrapped.optimizer
    optimizer._update_scale = type(optimizer)._update_scale.__get__(optimizer)


@pytest.mark.parametrize(("num_ranks", "layouts"), GROWING, ids=["2 ranks", "4 ranks"])
def test_a_step_in_which_the_loss_scale_grows_is_like_any_other(groups, growing_at_each_step, num_ranks, layouts):
    assert failures(results(groups[num_ranks], layouts)) == []
    for layout in layouts:
        found = failures(results(groups[num_ranks], [layout], mutate=with_deepspeeds_own_scale_growth))
        assert any("weights after sgd" in failure for failure in found), found


def scaled_by_the_accumulation(engine):
    engine.loss.scale /= engine.batch.accumulation_steps


def without_all_reduce(engine):
    """Each rank steps with its own gradients, as if the sum over ranks had been forgotten."""
    import deepspeed.comm.comm as comm

    class Deaf:
        def __getattr__(self, name):
            return getattr(whole, name)

        def all_reduce(self, *_, **__): ...

        def reduce(self, *_, **__): ...

    whole, train = comm.cdb, engine._train

    def deaf(batches):
        comm.cdb = Deaf()
        try:
            return train(batches)
        finally:
            comm.cdb = whole

    engine._train = deaf


def without_the_last_stage(engine):
    keep = engine.before_optimizer_step

    def lose():
        if engine.wrapped.stage_id == engine.wrapped.num_stages - 1:
            for parameter in engine.wrapped.module.parameters():
                parameter.grad.zero_()

    wrapped_step = engine._step

    def step(wrapped, **arguments):
        lose()
        wrapped_step(wrapped, **arguments)

    from deepspeed.runtime.pipe import schedule

    assert keep is not None
    engine.wrapped._INSTRUCTION_MAP = engine.wrapped._INSTRUCTION_MAP | {schedule.OptimizerStep: step}


def with_deepspeeds_own_tied_gradients(engine):
    from deepspeed.runtime.pipe import schedule
    from deepspeed.runtime.pipe.engine import PipelineEngine

    engine.wrapped._INSTRUCTION_MAP = engine.wrapped._INSTRUCTION_MAP | {
        schedule.ReduceTiedGrads: PipelineEngine._exec_reduce_tied_grads
    }


def with_padding_that_counts(engine):
    from jobs.pretrain.model import IGNORED

    loss = engine.loss

    def counting(logits, targets):
        return loss(logits, targets.clamp(min=0) if (targets == IGNORED).any() else targets)

    counting.scale = loss.scale
    engine.loss = counting


def with_decaying_biases(engine):
    for group in engine.wrapped.optimizer.param_groups:
        group["weight_decay"] = 0.1


def with_a_rate_that_is_set_in_vain(engine):
    step = engine.step
    engine.step = lambda batches, learning_rate: step(batches, engine.wrapped.optimizer.param_groups[0]["lr"])


def with_tied_gradients_summed_in_the_last_stage_only(engine):
    """Whoever looks at one copy of the weight alone, and takes the last, sees nothing."""
    from deepspeed.runtime.pipe import schedule

    add_up = engine._sum_tied_gradients

    def in_the_last_stage_only(wrapped):
        tied = [weight for weight, _ in wrapped.module.get_tied_weights_and_groups()]
        before = [weight.grad.clone() for weight in tied]
        add_up(wrapped)
        if not wrapped.is_last_stage():
            for weight, gradient in zip(tied, before, strict=True):
                weight.grad.copy_(gradient)

    engine.wrapped._INSTRUCTION_MAP = engine.wrapped._INSTRUCTION_MAP | {
        schedule.ReduceTiedGrads: in_the_last_stage_only
    }


def that_never_clips(engine):
    engine.wrapped.optimizer.clip_grad = 0.0


@pytest.mark.parametrize(
    ("num_ranks", "layout", "mutate", "seen_in"),
    [
        (2, {"zero_stage": 0}, scaled_by_the_accumulation, "gradient"),
        (2, {"zero_stage": 2, "precision": "bf16"}, scaled_by_the_accumulation, "gradient"),
        (2, {"zero_stage": 0}, without_all_reduce, "gradient"),
        (2, {"zero_stage": 1}, without_all_reduce, "gradient"),
        (2, {"zero_stage": 1, "precision": "bf16"}, without_all_reduce, "gradient"),
        (2, {"zero_stage": 1, "micro_batch_sequences": 4}, with_padding_that_counts, "gradient"),
        (2, {"zero_stage": 1}, with_decaying_biases, "weights"),
        (2, {"zero_stage": 1}, that_never_clips, "weights"),
        (2, {"zero_stage": 3}, with_a_rate_that_is_set_in_vain, "weights"),
        (4, {"zero_stage": 0, "pipeline_stages": 2}, without_the_last_stage, "gradient"),
        (4, {"zero_stage": 0, "pipeline_stages": 2}, with_tied_gradients_summed_in_the_last_stage_only, "copies"),
        (
            4,
            {"zero_stage": 1, "pipeline_stages": 2, "precision": "bf16", "optimizer_offload": "cpu"},
            with_deepspeeds_own_tied_gradients,
            "gradient",
        ),
    ],
)
def test_a_mutant_is_found(groups, num_ranks, layout, mutate, seen_in):
    found = failures(results(groups[num_ranks], [layout], mutate=mutate))
    assert any(seen_in in failure for failure in found), found
