"""Whether a training fits into its devices, and the nearest settings with which it would."""

from collections.abc import Iterator

from seedbed.budget import PASS, REFUSE, WARN, Finding
from seedbed.errors import RunFileError
from seedbed.layout import batch_layout, check_layout
from seedbed.nearest import Change
from seedbed.runfile.run import RunConfig
from seedbed.scaling.hardware import memory_of
from seedbed.scaling.memory import RankMemory, memory_per_rank
from seedbed.units import num_bytes

LIMIT = "cluster.hardware"
TOLERANCE = 0.1  # how far the cost model may be off: `tests/jobs/pretrain/test_memory.py` holds it to this


def check_fit(run: RunConfig) -> Finding | None:
    """The fullest rank held against a device's memory; None where nothing says how much that is.

    Refused is what would not fit even if it took a tenth less than planned, and warned of what would not if it took a
    tenth more.
    """
    available = memory_of(run.cluster)
    if available is None:
        return None
    memory = memory_of_fullest(run)
    level = _level(memory.total, available)
    nearest: tuple[Change, ...] = () if level == PASS else tuple(_nearest(run, available))
    message = f"{_arithmetic(memory)} of {num_bytes(available)} of memory ({run.cluster.hardware or 'as stated'})"
    if level != PASS:
        certainty = "does not fit" if level == REFUSE else f"may not fit: the plan is good to {TOLERANCE:.0%}"
        cures = ", or ".join(change.in_words() for change in nearest)
        cure = (
            f"would fit with {cures}" if nearest else "no single setting makes it fit: take a smaller model or stages"
        )
        message = f"{message}: {certainty}; {cure}"
    return Finding(LIMIT, level, float(memory.total), float(available), message, nearest)


def memory_of_fullest(run: RunConfig) -> RankMemory:
    layout = batch_layout(run.training, run.model.sequence_length, run.cluster.training_ranks)
    return memory_per_rank(run.model, run.training, layout)


def _level(planned: int, available: int) -> str:
    if planned * (1 - TOLERANCE) > available:
        return REFUSE
    return WARN if planned * (1 + TOLERANCE) > available else PASS


def _arithmetic(memory: RankMemory) -> str:
    parts = " + ".join(f"{name} {num_bytes(size)}" for name, size in memory.by_component().items() if size)
    return f"{memory.role} takes {parts} = {num_bytes(memory.total)}"


def _nearest(run: RunConfig, available: int) -> Iterator[Change]:
    """For each setting its nearest value that passes, alone; what DeepSpeed cannot do is left out."""
    for key, values in _candidates(run).items():
        part, name = key.split(".")
        for value in values:
            changed = run.model_copy(update={part: getattr(run, part).model_copy(update={name: value})})
            if _level(memory_of_fullest(changed).total, available) == PASS and _is_possible(changed):
                yield _change(run, key, value)
                break


def _candidates(run: RunConfig) -> dict[str, list[int | str | bool]]:
    """Values of each setting, the nearest to the run's first."""
    training, ranks = run.training, run.cluster.training_ranks
    sequences = training.global_batch_tokens // run.model.sequence_length
    return {
        "training.micro_batch_sequences": list(range(training.micro_batch_sequences - 1, 0, -1)),
        "training.activation_checkpointing": [] if training.activation_checkpointing else [True],
        "training.zero_stage": list(range(training.zero_stage + 1, 4)),
        "training.optimizer_offload": [] if training.optimizer_offload == "cpu" else ["cpu"],
        "cluster.training_ranks": [ranks * factor for factor in (2, 4, 8, 16, 32, 64) if ranks * factor <= sequences],
        "training.pipeline_stages": list(range(training.pipeline_stages + 1, min(ranks, run.model.num_layers) + 1)),
    }


def _is_possible(run: RunConfig) -> bool:
    """Whether it can run, and computes nothing for padding: that can be done, and is no advice."""
    try:
        check_layout(run.model, run.training, run.cluster)
        RunConfig.model_validate(run.model_dump())
        batch = batch_layout(run.training, run.model.sequence_length, run.cluster.training_ranks)
    except (RunFileError, ValueError):
        return False
    return batch.padding_sequences == 0


def _change(run: RunConfig, key: str, value: int | str | bool) -> Change:
    part, name = key.split(".")
    now = getattr(getattr(run, part), name)
    tokens = run.training.num_steps * run.training.global_batch_tokens
    return Change(key, "", str(value).lower(), str(now).lower(), tokens)
