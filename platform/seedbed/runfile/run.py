"""A whole run: what is read, what is learnt, how, on what, and what it may cost."""

import difflib
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from seedbed.layout import layout_problems
from seedbed.runfile.budget import BudgetConfig
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.data import DataConfig
from seedbed.runfile.evaluation import EvaluationConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.strict import Strict
from seedbed.runfile.tracking import TrackingConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.hardware import devices

CROSS_CHECK = "cross_check"
"""The type of the one error that carries what no part of the run file can see alone: `problems`, a list of pairs of
dotted key and message."""


class RunConfig(Strict):
    """What a run file says once its pieces are put together."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40, description="leads the names of its runs")
    data: DataConfig = Field(description="what is read and kept")
    model: ModelConfig = Field(description="what is trained")
    training: TrainingConfig = Field(description="how it is trained")
    evaluation: EvaluationConfig = Field(default=EvaluationConfig(), description="what it is scored on")
    cluster: ClusterConfig = Field(default=ClusterConfig(), description="what it runs on")
    budget: BudgetConfig = Field(default=BudgetConfig(), description="what it may cost")
    tracking: TrackingConfig = Field(default=TrackingConfig(), description="where it is tracked")

    @model_validator(mode="after")
    def _the_parts_fit(self) -> Self:
        checks = (
            _priorities,
            _expected_loss,
            _mixture,
            _offensive_score,
            _perplexity,
            _quality,
            _refinedweb,
            _vocabulary,
            _whole_sequences,
            _known_hardware,
        )
        problems = [problem for check in checks if (problem := check(self)) is not None]
        problems += layout_problems(self.model, self.training, self.cluster)
        if problems:
            lines = "\n".join(f"{key}: {message}" for key, message in problems)
            raise PydanticCustomError(CROSS_CHECK, "{lines}", {"lines": lines, "problems": problems})
        return self


def _priorities(run: RunConfig) -> tuple[str, str] | None:
    if not run.data.deduplicate.source_priority:
        return None
    return "data.deduplicate.source_priority", "say it where the source is: data.sources.NAME.priority"


def _expected_loss(run: RunConfig) -> tuple[str, str] | None:
    unknown = sorted(run.data.deduplicate.expected_loss.sources.keys() - run.data.sources.keys())
    if not unknown:
        return None
    return (
        f"data.deduplicate.expected_loss.sources.{unknown[0]}",
        f"no such source; there are {', '.join(run.data.sources)}",
    )


def _mixture(run: RunConfig) -> tuple[str, str] | None:
    mixture = run.data.mixture
    if mixture is None:
        return None
    for key, named in (("weights", mixture.weights or {}), ("tokens", mixture.tokens)):
        unknown = sorted(named.keys() - run.data.sources.keys())
        if unknown:
            return f"data.mixture.{key}.{unknown[0]}", f"no such source; there are {', '.join(run.data.sources)}"
    return None


def _offensive_score(run: RunConfig) -> tuple[str, str] | None:
    if run.data.select.offensive_score is None or run.data.annotate.offensive_classifier is not None:
        return None
    return "data.select.offensive_score", "nothing gives a score: name a data.annotate.offensive_classifier"


def _perplexity(run: RunConfig) -> tuple[str, str] | None:
    if run.data.select.perplexity is None or run.data.annotate.perplexity is not None:
        return None
    return "data.select.perplexity", "nothing measures it: name a model in data.annotate.perplexity.model"


def _quality(run: RunConfig) -> tuple[str, str] | None:
    if run.data.select.quality is None or run.data.annotate.quality_classifier is not None:
        return None
    return "data.select.quality", "nothing gives a score: name a model in data.annotate.quality_classifier.model"


def _refinedweb(run: RunConfig) -> tuple[str, str] | None:
    if run.data.select.refinedweb is None or run.data.clean.refinedweb is not None:
        return None
    return "data.select.refinedweb", "no line is looked at by RefinedWeb's rules: set data.clean.refinedweb, {} for all"


def _vocabulary(run: RunConfig) -> tuple[str, str] | None:
    rows, tokens = run.model.vocab_size, run.data.tokenizer.vocab_size
    if rows >= tokens:
        return None
    return "model.vocab_size", f"{rows} rows are too few for data.tokenizer.vocab_size {tokens}; take {tokens} or more"


def _whole_sequences(run: RunConfig) -> tuple[str, str] | None:
    tokens, length = run.training.global_batch_tokens, run.model.sequence_length
    sequences, rest = divmod(tokens, length)
    if sequences and not rest:
        return None
    return (
        "training.global_batch_tokens",
        f"{tokens} = {sequences} x {length} + {rest}, but a batch is made of whole sequences of model.sequence_length"
        f" {length}; take {max(sequences, 1) * length}",
    )


def _known_hardware(run: RunConfig) -> tuple[str, str] | None:
    name, known = run.cluster.hardware, devices()
    if name is None or name in known:
        return None
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else "."
    return (
        "cluster.hardware",
        f"{name} is not in the table of devices{meant} Known are {', '.join(known)}. For another device leave it out"
        " and state cluster.device_peak_flops_per_second and cluster.device_memory_bytes",
    )
