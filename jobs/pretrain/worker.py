"""What one rank does: take up a checkpoint, step to the end, write the weights.

It needs a process group of torch.distributed and nothing of Ray, so that a test can run it in one process.
Optimizer step t, counted from 0, consumes samples [t B, (t + 1) B) of the order, with B sequences in a global batch:
the loader's whole state is that integer, and who takes which of them is decided anew in each step.
Shape suffixes: M sequences of a micro batch, S sequence length.
"""

import math
import time
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import save_file

from dataprep.order import SampleOrder
from dataprep.token_stream import TokenStream
from jobs.evaluate import loss_sum, validation_samples
from jobs.pretrain import attempt
from jobs.pretrain import engine as engines
from jobs.pretrain.channel import Channel
from jobs.pretrain.checkpoint import Checkpoints, Progress
from jobs.pretrain.model import GPT, next_token_loss
from jobs.pretrain.schedule import learning_rate
from jobs.pretrain.shards import local_shard
from jobs.pretrain.task import TrainingDiverged, TrainTask, batch_layout
from seedbed import faults
from seedbed.store import Store


def train_rank(task: TrainTask, token: str, channel: Channel) -> int:
    """Train to the end, on all ranks together, and return the step reached: less than `num_steps` where the channel
    asked to stop, and then with a checkpoint of that step. The results stand in the store; the channel hears of them.

    `token` is what `attempt.begin` gave this start of the run.

    Raises CheckpointError, StoreError, CorruptDataError, RunFileError, TrainingDiverged and Superseded.
    """
    torch.set_num_threads(task.cluster.threads_per_rank)
    rank = RankTrainer(task, token, channel)
    rank.report_event({"event": "started", "num_ranks": rank.layout.num_ranks})
    channel.progress("taking up a checkpoint")
    progress, metrics = rank.checkpoints.take_up()
    if rank.rank == 0:
        channel.begin(metrics)
    rank.report_event({"event": "taken_up", "step": progress.step})
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
            rank.checkpoints.save(progress, channel.metrics())
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
        self.train_stream = TokenStream([local_shard(task, path) for path in task.train_shards])
        self.validation_stream = TokenStream([local_shard(task, path) for path in task.validation_shards])
        self.order = SampleOrder(self.train_stream.num_samples(length), task.training.seed)
        torch.manual_seed(task.training.seed)  # the same weights on every rank
        model = GPT(task.model, task.training.activation_checkpointing)
        self.engine = engines.build_engine(model, task.training, self.layout)
        torch.manual_seed(task.training.seed + 1 + self.rank)  # but dropout of its own
        self.checkpoints = Checkpoints(task, token, self.engine, channel)

    def is_asked_to_stop(self) -> bool:
        """Whether any rank was asked to: all ranks get the same answer, so all stop after the same step."""
        return self._sum_over_ranks(float(self.channel.stop_requested() is not None)) > 0

    def step(self, progress: Progress) -> Progress:
        """One optimizer step, its metrics and, when due, a validation. Raises TrainingDiverged, on every rank."""
        training, batch = self.task.training, self.layout.global_batch_sequences
        started = time.monotonic()
        rate = learning_rate(progress.step, training)
        engines.set_learning_rate(self.engine, rate)
        loss = self._backward(progress.samples)
        after = Progress(progress.step + 1, progress.samples + batch)
        if not math.isfinite(loss):
            where = f"at step {after.step}, samples {progress.samples} to {after.samples - 1} of the run"
            raise TrainingDiverged(f"the loss is {loss} {where}; lower training.learning_rate or look at the samples")
        norm = engines.optimizer_step(self.engine)
        if not math.isfinite(norm):
            # DeepSpeed has skipped the step, or the weights are gone: neither may pass for a step that was taken.
            where = f"at step {after.step}, samples {progress.samples} to {after.samples - 1} of the run"
            raise TrainingDiverged(f"the gradient's norm is {norm} {where}; lower training.learning_rate")
        seconds = time.monotonic() - started
        record = {
            "step": after.step,
            "time": time.time(),
            "loss": loss,
            "learning_rate": rate,
            "gradient_norm": norm,
            "tokens": after.samples * self.task.model.sequence_length,
            "seconds": seconds,
            "tokens_per_second": batch * self.task.model.sequence_length / seconds,
            "samples": [progress.samples, after.samples],
        }
        if after.step % training.validate_every_steps == 0 or after.step == training.num_steps:
            self.channel.progress(f"the validation after step {after.step}")
            record["validation_loss"] = self._validate()
        if self.rank == 0:
            self.channel.record(record)
        return after

    def _backward(self, first_sample: int) -> float:
        """Gradients of the global batch, averaged over its tokens; its mean loss comes back, the same on every rank."""
        layout, length = self.layout, self.task.model.sequence_length
        micro = layout.micro_batch_sequences
        indices = self.order.indices(first_sample, layout.global_batch_sequences)
        mean = torch.zeros((), dtype=torch.float64)
        for number in range(layout.accumulation_steps):
            start = (number * layout.num_ranks + self.rank) * micro
            rows_MS1 = torch.from_numpy(self.train_stream.samples(indices[start : start + micro], length))
            rows_MS1 = rows_MS1.to(self.engine.device)
            loss = next_token_loss(self.engine(rows_MS1[:, :-1]), rows_MS1[:, 1:])
            mean += loss.detach().cpu() / (layout.accumulation_steps * layout.num_ranks)
            self.engine.backward(loss)
            if number + 1 < layout.accumulation_steps:
                self.engine.step()  # counts the micro batch; the weights move at the end of the global batch only
        return self._sum_over_ranks(float(mean))

    def _validate(self) -> float:
        """Mean loss in nats per token on the held-out tokens, each rank taking its share of the samples."""
        training, length = self.task.training, self.task.model.sequence_length
        indices = validation_samples(self.validation_stream, length, training.validation_tokens)
        mine = indices[self.rank :: self.layout.num_ranks]
        total = loss_sum(self.engine.module, self.validation_stream, mine, length, training.micro_batch_sequences)
        return self._sum_over_ranks(total) / (indices.size * length)

    def _sum_over_ranks(self, value: float) -> float:
        total = torch.tensor([value], dtype=torch.float64, device=self.engine.device)
        dist.all_reduce(total)
        return float(total)

    def write_weights(self) -> None:
        """Put `model.safetensors` (fp32) and `metrics.jsonl` into the artifact."""
        weights: dict[str, Any] = engines.full_fp32_weights(self.engine)
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
