"""What one rank does: take up a checkpoint, step to the end, write the weights.

It needs a process group of torch.distributed and nothing of Ray, so that a test can run it in one process.
Optimizer step t, counted from 0, consumes samples [t B, (t + 1) B) of the order, with B sequences in a global batch:
the loader's whole state is that integer, and who takes which of them is decided anew in each step. Dropout's random
numbers follow from the step and the rank.
Shape suffixes: M sequences of a micro batch, S sequence length.
"""

import math
import resource
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from safetensors.torch import save_file

from jobs.evaluate import validation_samples
from jobs.pretrain import attempt
from jobs.pretrain.batches import MicroBatch, micro_batch
from jobs.pretrain.build import build_engine
from jobs.pretrain.channel import Channel
from jobs.pretrain.checkpoint import Checkpoints, Progress
from jobs.pretrain.engine import StepResult
from jobs.pretrain.samples import TrainingSamples
from jobs.pretrain.schedule import learning_rate
from jobs.pretrain.task import TrainingDiverged, TrainTask
from seedbed import faults
from seedbed.layout import batch_layout
from seedbed.store import Store


def train_rank(task: TrainTask, token: str, channel: Channel) -> int:
    """Train to the end, on all ranks together, and return the step reached: less than `num_steps` where the channel
    asked to stop, and then with a checkpoint of that step. The results stand in the store; the channel hears of them.

    `token` is what `attempt.begin` gave this start of the run.

    Raises CheckpointError, StoreError, CorruptDataError, RunFileError, TrainingDiverged and Superseded.
    """
    torch.set_num_threads(task.cluster.threads_per_rank)
    rank = RankTrainer(task, token, channel)
    try:
        return _train(rank, task, channel)
    finally:
        rank.engine.destroy()


def _train(rank: "RankTrainer", task: TrainTask, channel: Channel) -> int:
    rank.report_event({"event": "started", "num_ranks": dist.get_world_size()})
    channel.progress("taking up a checkpoint")
    progress = rank.take_up()
    rank.report_event({"event": "taken_up", "step": progress.step})
    channel.wait_until_heard()  # or the steps up to here would be taken for told when this start is lost at once
    saved_step = progress.step
    while progress.step < task.training.num_steps:
        is_stopping = rank.is_asked_to_stop()
        if not is_stopping:
            channel.progress(f"step {progress.step + 1}")
            faults.point(f"pretrain.step.{progress.step + 1}")  # before the step of that number, counted from 1
            progress = rank.step(progress)
        is_last = progress.step == task.training.num_steps
        is_due = is_last or is_stopping or progress.step % task.training.checkpoint_every_steps == 0
        if is_due and progress.step != saved_step:
            channel.progress(f"the checkpoint of step {progress.step}")
            rank.save(progress)
            rank.report_event({"event": "checkpoint", "step": progress.step})
            saved_step = progress.step
        if is_stopping:
            return progress.step
    channel.progress("writing the weights")
    rank.write_weights()
    return progress.step


class RankTrainer:
    """Model, data and checkpoints of one rank."""

    def __init__(self, task: TrainTask, token: str, channel: Channel) -> None:
        self.task, self.token, self.channel = task, token, channel
        self.rank = dist.get_rank()
        length = task.model.sequence_length
        self.layout = batch_layout(task.training, length, dist.get_world_size())
        self.samples = TrainingSamples(task)
        self.validation_stream = task.shards.validation_stream()
        self.engine = build_engine(task.model, task.training, self.layout)
        self.checkpoints = Checkpoints(task, token, self.engine)
        self._validation_loss: float | None = None  # measured after the last step

    def take_up(self) -> Progress:
        """Go on from the newest checkpoint that holds. Raises CheckpointError and StoreError."""
        progress, metrics, events = self.checkpoints.take_up()
        if self.rank == 0:
            self.channel.begin(metrics)
        for event in events:
            self.report_event(event)
        return progress

    def save(self, progress: Progress) -> None:
        """Write a checkpoint. Raises CheckpointError, StoreError and Superseded."""
        self.checkpoints.save(progress, self.channel.metrics(), self._validation_loss)

    def is_asked_to_stop(self) -> bool:
        """Whether any rank was asked to: all ranks get the same answer, so all stop after the same step."""
        return self._max_over_ranks(float(self.channel.stop_requested() is not None)) > 0

    def step(self, progress: Progress) -> Progress:
        """One optimizer step, its metrics and, when due, a validation. Raises TrainingDiverged, on every rank."""
        training, count = self.task.training, self.layout.global_batch_sequences
        started = time.monotonic()
        after = Progress(progress.step + 1, progress.samples + count)
        rate = learning_rate(progress.step, training)
        torch.manual_seed(_dropout_seed(training.seed, progress.step, self.rank))
        batches = _TimedBatches(self._batches(progress.samples))
        result = self.engine.step(batches, rate)
        self._refuse_divergence(result, f"at step {after.step}, samples {progress.samples} to {after.samples - 1}")
        seconds = time.monotonic() - started
        tokens = count * self.task.model.sequence_length
        record = {
            "step": after.step,
            "time": time.time(),
            "loss": result.loss,
            "learning_rate": rate,
            "gradient_norm": result.gradient_norm if result.applied else None,
            "clip_coefficient": _clip_coefficient(result, training.gradient_clipping),
            "tokens": after.samples * self.task.model.sequence_length,
            "seconds": seconds,
            "data_s": batches.seconds,
            "forward_backward_s": result.forward_backward_s - batches.seconds,
            "optimizer_s": result.optimizer_s,
            "tokens_per_second": tokens / seconds,
            "peak_memory_bytes": int(self._max_over_ranks(_peak_memory_bytes(self.task.cluster.device))),
            "samples": [progress.samples, after.samples],
        }
        if result.loss_scale is not None:
            record["loss_scale"] = result.loss_scale
        self._validation_loss = None
        if after.step % training.validate_every_steps == 0 or after.step == training.num_steps:
            self.channel.progress(f"the validation after step {after.step}")
            self._validation_loss = record["validation_loss"] = self._validate()
            if not math.isfinite(self._validation_loss):
                found = f"the validation loss is {self._validation_loss} after step {after.step}"
                raise TrainingDiverged(f"{found}; lower training.learning_rate")
        if self.rank == 0:
            self.channel.record(record)
        return after

    def _refuse_divergence(self, result: StepResult, where: str) -> None:
        if not math.isfinite(result.loss):
            where = f"{where} of the run"
            raise TrainingDiverged(
                f"the loss is {result.loss} {where}; lower training.learning_rate or look at the samples"
            )
        overflowed = self.task.training.precision == "fp16" and not result.applied  # the next step has half the scale
        if not overflowed and not math.isfinite(result.gradient_norm):
            # DeepSpeed has skipped the step, or the weights are gone: neither may pass for a step that was taken.
            raise TrainingDiverged(
                f"the gradient's norm is {result.gradient_norm} {where} of the run; lower training.learning_rate"
            )

    def _batches(self, first_sample: int) -> Iterator[MicroBatch]:
        """What this rank's part of the model sees of the global batch that begins at `first_sample`."""
        places = self.samples.places(first_sample, self.layout.global_batch_sequences)
        for number in range(self.layout.accumulation_steps):
            yield self._micro_batch(self.samples.read(places[self.layout.rows_of(number, self.engine.data_rank)]))

    def _micro_batch(self, rows_NS1: npt.NDArray[np.int64]) -> MicroBatch:
        return micro_batch(torch.from_numpy(rows_NS1), self.layout.micro_batch_sequences)

    def _validate(self) -> float:
        """Mean loss in nats per token on the held-out tokens, each data rank taking its share of the samples."""
        training, length = self.task.training, self.task.model.sequence_length
        indices = validation_samples(self.validation_stream, length, training.validation_tokens)
        mine = indices[self.engine.data_rank :: self.layout.data_ranks]
        micro = self.layout.micro_batch_sequences
        num_batches = math.ceil(math.ceil(indices.size / self.layout.data_ranks) / micro)
        parts = (mine[n * micro : (n + 1) * micro] for n in range(num_batches))
        batches = (self._micro_batch(self.validation_stream.samples(part, length)) for part in parts)
        return self.engine.loss_sum(batches, num_batches) / (indices.size * length)

    def _max_over_ranks(self, value: float) -> float:
        greatest = torch.tensor([value], dtype=torch.float64, device=self.engine.wrapped.device)
        dist.all_reduce(greatest, op=dist.ReduceOp.MAX)
        return float(greatest)

    def write_weights(self) -> None:
        """Put `model.safetensors` (fp32) and `metrics.jsonl` into the artifact."""
        weights: dict[str, Any] = self.checkpoints.newest_weights()
        if self.rank == 0:
            store = Store(self.task.store_url)
            attempt.require(self.task, self.token)
            local = attempt.staging(self.task, self.token) / "model.safetensors"
            local.parent.mkdir(parents=True, exist_ok=True)
            save_file(weights, local)
            local.chmod(0o644)  # safetensors makes it 0600; the artifact's other files can be read by all
            store.upload(local, f"{self.task.artifact_path}/model.safetensors")
            store.write(f"{self.task.artifact_path}/metrics.jsonl", self.channel.metrics())
        dist.barrier()

    def report_event(self, event: dict[str, Any]) -> None:
        """Tell the driver, once for all ranks."""
        if self.rank == 0:
            self.channel.event(event)


class _TimedBatches(Iterator[MicroBatch]):
    """Micro batches, and the seconds that reading them took."""

    def __init__(self, batches: Iterator[MicroBatch]) -> None:
        self._batches = batches
        self.seconds = 0.0

    def __next__(self) -> MicroBatch:
        started = time.monotonic()
        try:
            return next(self._batches)
        finally:
            self.seconds += time.monotonic() - started


def _dropout_seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _clip_coefficient(result: StepResult, limit: float) -> float:
    """What the gradient was multiplied by: 1 where it was not clipped."""
    return min(1.0, limit / (result.gradient_norm + 1e-6)) if limit and result.applied else 1.0


def _peak_memory_bytes(device: str) -> int:
    """The most that this process has held: on the device, or resident on a CPU."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
