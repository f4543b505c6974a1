"""A tiny run, and processes that train one task after the other: starting a group costs seconds, a task under one."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from dataprep.indexed_dataset import IndexedDatasetWriter
from jobs.pretrain import attempt
from jobs.pretrain.channel import Message
from jobs.pretrain.listener import Recorder
from jobs.pretrain.shards import TokenShards
from jobs.pretrain.task import TrainTask
from seedbed.runfile.cluster import ClusterConfig
from seedbed.runfile.model import ModelConfig
from seedbed.runfile.training import TrainingConfig

NUM_STEPS = 8
MODEL = ModelConfig(num_layers=2, width=32, num_heads=2, sequence_length=16, vocab_size=300)
TRAINING = TrainingConfig(
    num_steps=NUM_STEPS,
    global_batch_tokens=8 * 16,
    micro_batch_sequences=4,
    learning_rate=0.01,
    warmup_steps=2,
    validate_every_steps=4,
    validation_tokens=20 * 16,
    checkpoint_every_steps=3,  # at steps 3, 6 and 8
    seed=5,
)

MakeTask = Callable[..., TrainTask]


@pytest.fixture
def make_task(tmp_path) -> MakeTask:
    """Tasks on the same two shards; keywords change the training, `dropout` the model, `name` the run. With `quotas`
    the shards are two sources, `first` and `second`."""
    rng = np.random.default_rng(0)
    # Each token is followed by one of three: something to learn within a few steps.
    steps = np.concatenate([[7], rng.choice([1, 3, 10], 2400)])
    tokens = np.cumsum(steps) % 290
    store = tmp_path / "store"
    for shard, part in {"train-0": tokens[:1000], "train-1": tokens[1000:2000], "held": tokens[2000:]}.items():
        with IndexedDatasetWriter(store / "shards" / shard, MODEL.vocab_size) as writer:
            writer.add(part)

    sources = {"first": ("shards/train-0",), "second": ("shards/train-1",)}

    def make(
        name: str = "run",
        dropout: float = 0.0,
        num_ranks: int = 2,
        cluster: dict[str, Any] | None = None,
        quotas: dict[str, int] | None = None,
        **training,
    ) -> TrainTask:
        return TrainTask(
            store_url=str(store),
            artifact_path=f"steps/pretrain-{name}",
            shards=TokenShards(str(store), None, ("shards/train-0", "shards/train-1"), ("shards/held",), sources),
            validation_tokens=401,
            validation_bytes=1000,
            model=MODEL.model_copy(update={"dropout": dropout}),
            training=TrainingConfig(**(TRAINING.model_dump() | training)),
            cluster=ClusterConfig(training_ranks=num_ranks, **(cluster or {})),
            state_dir=str(tmp_path / "state"),
            scratch_dir=str(tmp_path / "scratch"),
            fingerprint=name,
            quotas=quotas or {},
        )

    return make


@pytest.fixture(scope="session")
def groups(ray_session) -> Iterator[dict[int, Callable[..., None]]]:
    """By number of ranks: a function that trains a task there, broken at a point if one is named."""
    import ray

    class Member:  # local, so that Ray sends its code: the workers cannot import a conftest
        def __init__(self, number: int, num_ranks: int) -> None:
            os.environ["DS_ACCELERATOR"] = "cpu"
            self.number, self.num_ranks = number, num_ranks

        def address(self) -> str:
            from jobs.pretrain.rank import free_address

            return free_address()

        def join(self, address: str) -> None:
            from jobs.pretrain.imports import load_deepspeed
            from jobs.pretrain.rank import join_group

            join_group(address, self.number, self.num_ranks, "cpu", hang_timeout_s=300)
            load_deepspeed()

        def train(self, task: TrainTask, token: str, fault: str, stop: str | None) -> int:
            from jobs.pretrain.channel import Channel
            from jobs.pretrain.worker import train_rank

            os.environ["SEEDBED_FAULT"] = fault
            self.channel = Channel()
            self.channel.exchange(0, stop)
            return train_rank(task, token, self.channel)

        def told(self) -> list[Message]:
            return self.channel.exchange(0, None).messages

        def call(self, function, *arguments):
            return function(*arguments)

    def start(num_ranks: int) -> Callable[..., None]:
        members = [ray.remote(Member).options(num_cpus=0).remote(n, num_ranks) for n in range(num_ranks)]
        address = ray.get(members[0].address.remote())
        ray.get([member.join.remote(address) for member in members])

        def train(task: TrainTask, fault: str = "", token: str | None = None, stop: str | None = None) -> list[int]:
            token = token or attempt.begin(task)
            calls = [member.train.remote(task, token, fault, stop if n else None) for n, member in enumerate(members)]
            try:
                return ray.get(calls)
            finally:
                recorder = Recorder(task, lambda _: None)
                for message in ray.get(members[0].told.remote()):
                    recorder.hear(message)

        def call(function, *arguments) -> list:
            return ray.get([member.call.remote(function, *arguments) for member in members])

        train.call = call
        return train

    yield {number: start(number) for number in (1, 2, 4)}
