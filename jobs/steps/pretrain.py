"""`pretrain`: the model, trained by a group of ranks on Ray; checkpoints lie in the artifact until it is committed."""

import math
from dataclasses import asdict
from typing import Any

from jobs.pretrain.launch import train
from jobs.pretrain.task import TrainResult, TrainTask
from jobs.step_run import StepRun
from seedbed.artifact import Artifact, Report, file_entry
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig


def run(step: StepRun) -> None:
    """Train to the end, from the newest whole checkpoint where there is one."""
    step.cluster.start()
    run = step.plan.run
    task = train_task(step.artifact, step.parents["shards"], str(step.state.root), run.model, run.training, run.cluster)
    with step.progress.task("pretrain", run.training.num_steps) as advance:
        narrator = _Narrator(step, advance, run.training)
        result = train(task, narrator.hear)
    step.files += [
        file_entry(step.artifact, "model.safetensors"),
        file_entry(step.artifact, "metrics.jsonl", volatile=True),
    ]
    step.commit(Report(), training=_training(result))


def train_task(
    pretrain: Artifact,
    shards: Artifact,
    state_dir: str,
    model: ModelConfig,
    training: TrainingConfig,
    cluster: ClusterConfig,
) -> TrainTask:
    """What the ranks are given, from the two artifacts' manifests."""
    manifest = shards.committed()
    paths = {
        split: tuple(f"{shards.path}/{name}" for name in names) for split, names in manifest["token_shards"].items()
    }
    return TrainTask(
        store_url=pretrain.store.url,
        artifact_path=pretrain.path,
        train_shards=paths["train"],
        validation_shards=paths["validation"],
        validation_bytes=manifest["counts"]["validation_bytes"],
        model=model,
        training=training,
        cluster=cluster,
        state_dir=state_dir,
        fingerprint=pretrain.fingerprint,
    )


def _training(result: TrainResult) -> dict[str, Any]:
    """What the manifest says. Speed differs from run to run: it stands beside the digest, not in it."""
    training = asdict(result)
    if not math.isfinite(training["perplexity"]):
        training["perplexity"] = None
    return training


class _Narrator:
    """Tells a person how the training goes."""

    def __init__(self, step: StepRun, advance: Any, training: TrainingConfig) -> None:
        self._say = step.progress.say
        self._advance = advance
        self._num_steps = training.num_steps

    def hear(self, record: dict[str, Any]) -> None:
        """One line of the metrics, or an event."""
        if "event" in record:
            self._tell_event(record)
            return
        rate = f"loss {record['loss']:.3f}, {record['tokens_per_second']:,.0f} tokens/s"
        self._advance(rate)
        if record.get("validation_loss") is not None:
            left = self._num_steps - record["step"]
            self._say(
                f"  step {record['step']:,} of {self._num_steps:,}: {rate}, "
                f"validation loss {record['validation_loss']:.3f}" + (f", {left:,} steps left" if left else "")
            )

    def _tell_event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "taken_up" and event["step"]:
            self._say(f"  going on from the checkpoint of step {event['step']:,}")
            for _ in range(event["step"]):
                self._advance("")
        elif kind not in ("taken_up", "started"):
            facts = ", ".join(f"{k} {v}" for k, v in event.items() if k not in ("event", "time"))
            self._say(f"  {kind}: {facts}")
