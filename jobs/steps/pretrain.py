"""`pretrain`: the model, trained by a group of ranks on Ray. The last checkpoints stay in the artifact."""

from dataclasses import asdict
from typing import Any

from dataprep.mixture import Mixture
from dataprep.split import TRAIN, VALIDATION
from jobs.ending import Stopped
from jobs.pretrain.budget_watch import BudgetWatch
from jobs.pretrain.launch import train
from jobs.pretrain.listener import TAKEN_AGAIN
from jobs.pretrain.manifest import newest_step
from jobs.pretrain.shards import TokenShards
from jobs.pretrain.task import TrainResult, TrainTask
from jobs.step_run import StepRun
from seedbed.artifact import Artifact, Report, file_entry
from seedbed.errors import UsageError
from seedbed.mixture import COUNTED, mixed_sources, mixture_numbers
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.run import RunConfig
from seedbed.runfile.training import TrainingConfig
from seedbed.scaling.time_and_money import peak_flops_per_second
from seedbed.tracking import journal


def run(step: StepRun) -> None:
    """Train to the end, from the newest whole checkpoint where there is one. Raises BudgetPassed, Stopped."""
    run = step.plan.run
    shards = step.parents["shards"].committed()
    _refuse_too_little_text(shards["counts"], run.model.sequence_length)
    mixture = _mixture(run, shards)
    watch = BudgetWatch(step.artifact, step.plan, str(step.state.root), step.over_budget, step.progress.say)
    watch.require()  # earlier commands may have spent it all
    step.cluster.start()
    task = train_task(
        step.artifact,
        step.parents["shards"],
        run.model,
        run.training,
        run.cluster,
        state_dir=str(step.state.root),
        scratch_dir=step.scratch_dir,
        quotas={name: share.taken for name, share in mixture.shares.items()} if mixture is not None else {},
    )
    result = _train(step, task, watch)
    step.files += [
        file_entry(step.artifact, "model.safetensors"),
        file_entry(step.artifact, "metrics.jsonl", volatile=True),
    ]
    layout = {
        "ranks": run.cluster.training_ranks,
        "zero_stage": run.training.zero_stage,
        "pipeline_stages": run.training.pipeline_stages,
        "precision": run.training.precision,
        "threads": run.cluster.threads_per_rank,
        "device": run.cluster.device,
    }
    step.commit(Report(), training=asdict(result), layout=layout, spending=watch.summary(), **_told(mixture, run))


def _mixture(run: RunConfig, shards: dict[str, Any]) -> Mixture | None:
    """What is taken of each source; None of a run that mixes nothing. Raises UsageError where that is too little."""
    numbers = mixture_numbers((), run, {"shards": shards})
    if numbers is None:
        return None
    tokens = run.training.num_steps * run.training.global_batch_tokens
    mixture = numbers.mixture(tokens)
    if mixture.missing:
        have = ", ".join(f"{name} {number * numbers.sequence_length:,}" for name, number in numbers.available.items())
        raise UsageError(
            f"{tokens:,} tokens to train on, but the sources give {numbers.most_tokens:,} (unique: {have}) with "
            f"data.mixture.max_epochs {numbers.config.max_epochs:g} and their weights and data.mixture.tokens: take "
            f"training.num_steps at most {numbers.most_tokens // run.training.global_batch_tokens:,}, or allow more of "
            "the sources"
        )
    return mixture


def _told(mixture: Mixture | None, run: RunConfig) -> dict[str, Any]:
    """What the manifest says of a mixture: the tokens that were trained on, by source."""
    if mixture is None:
        return {}
    rows = mixed_sources(mixture, COUNTED, run.model.sequence_length)
    return {
        "mixture": {row.source: {k: v for k, v in asdict(row).items() if k not in ("source", "known")} for row in rows}
    }


def _train(step: StepRun, task: TrainTask, watch: BudgetWatch) -> TrainResult:
    deferred = step.signals.deferred()
    done = newest_step(step.artifact.store, task.checkpoints_path)
    bar = step.progress.task("pretrain", task.training.num_steps, done, unit="steps")
    with bar as advance, deferred as signalled:
        narrator = _Narrator(step, advance, task.training, done)

        def hear(record: dict[str, Any]) -> None:
            watch.hear(record)
            narrator.hear(record)

        def stop_requested() -> str | None:
            return signalled() or watch.stop_requested()

        log = journal.journal_path(step.state.root, step.artifact.fingerprint)
        cluster = task.cluster
        peak = peak_flops_per_second(cluster, task.training.precision).low
        with step.reports.following(log):
            try:
                with journal.driver_session(log, step.plan.run_id, cluster.model_dump(mode="json"), peak):
                    return train(task, hear, stop_requested, step.reports.print_of_rank)
            except Stopped:
                watch.require()
                raise
            finally:
                watch.keep()


def _refuse_too_little_text(counts: dict[str, int], sequence_length: int) -> None:
    for split in (TRAIN, VALIDATION):
        if counts[f"{split}_tokens"] <= sequence_length:
            raise UsageError(
                f"the {split} split has {counts[f'{split}_tokens']:,} tokens, but a sample takes"
                f" model.sequence_length + 1 = {sequence_length + 1:,}: give it more data,"
                " change data.split.validation_fraction, or take shorter sequences"
            )


def train_task(
    pretrain: Artifact,
    shards: Artifact,
    model: ModelConfig,
    training: TrainingConfig,
    cluster: ClusterConfig,
    *,
    state_dir: str,
    scratch_dir: str | None,
    quotas: dict[str, int] | None = None,
) -> TrainTask:
    """What the ranks are given, from the two artifacts' manifests."""
    counts = shards.committed()["counts"]
    return TrainTask(
        store_url=pretrain.store.url,
        artifact_path=pretrain.path,
        shards=TokenShards.of(shards, scratch_dir),
        validation_tokens=counts["validation_tokens"],
        validation_bytes=counts["validation_bytes"],
        model=model,
        training=training,
        cluster=cluster,
        state_dir=state_dir,
        scratch_dir=scratch_dir,
        fingerprint=pretrain.fingerprint,
        quotas=quotas or {},
    )


class _Narrator:
    """Tells a person how the training goes."""

    def __init__(self, step: StepRun, advance: Any, training: TrainingConfig, done: int) -> None:
        self._say = step.progress.say
        self._advance = advance
        self._num_steps = training.num_steps
        self._told = done  # of the steps that the bar has

    def hear(self, record: dict[str, Any]) -> None:
        """One line of the metrics, or an event."""
        if "event" in record:
            self._tell_event(record)
            return
        rate = f"loss {record['loss']:.3f}, {record['tokens_per_second']:,.0f} tokens/s"
        self._move_to(record["step"], rate)
        if record.get("validation_loss") is not None:
            left = self._num_steps - record["step"]
            self._say(
                f"  step {record['step']:,} of {self._num_steps:,}: {rate}, "
                f"validation loss {record['validation_loss']:.3f}" + (f", {left:,} steps left" if left else "")
            )

    def _move_to(self, step: int, rate: str) -> None:
        """The bar to this step; after a restart steps are taken again that it has counted."""
        for _ in range(self._told, step):
            self._advance(rate)
        self._told = max(self._told, step)

    def _tell_event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "taken_up" and event["step"]:
            self._say(f"  going on from the checkpoint of step {event['step']:,}")
            self._move_to(event["step"], "")
        elif kind not in ("placed", "taken_up", "started", "checkpoint", TAKEN_AGAIN):
            facts = ", ".join(f"{k} {v}" for k, v in event.items() if k not in ("event", "time"))
            self._say(f"  {kind}: {facts}")
