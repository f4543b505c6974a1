"""Checkpoints in the store: complete or absent.

    checkpoints/step-00000100/   each rank's files, then manifest.json, which makes it a checkpoint
    checkpoints/latest           the name of the newest, for people; loading goes by the manifests
    checkpoints/broken-...       what could not be taken up, moved aside

Each rank saves into a folder of its own, digests its files and uploads them; when all have, rank 0 commits the
manifest. It holds weights and optimizer (DeepSpeed's files), random states (one file a rank), the samples consumed and
the metrics up to that step.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from blake3 import blake3

from jobs.pretrain import attempt
from jobs.pretrain.channel import Channel
from jobs.pretrain.task import TrainTask
from seedbed import faults
from seedbed.errors import CheckpointError
from seedbed.store import Store

MANIFEST = "manifest.json"
_METRICS = "metrics.jsonl"
_PREFIX, _BROKEN = "step-", "broken-"


@dataclass(frozen=True)
class Progress:
    """How far a run is; with the weights and optimizer, all its state."""

    step: int = 0  # optimizer steps taken
    samples: int = 0  # samples consumed: the loader's whole state


class Checkpoints:
    """The checkpoints of one run, as seen by one rank. Every method is called by all ranks together."""

    def __init__(self, task: TrainTask, token: str, engine: Any, channel: Channel) -> None:
        self._task, self._token = task, token
        self._engine, self._channel = engine, channel
        self._store = Store(task.store_url)
        self._root = task.checkpoints_path
        self._rank, self._num_ranks = dist.get_rank(), dist.get_world_size()
        self._staging = attempt.staging(task, token) / f"rank-{self._rank:05d}"

    def save(self, progress: Progress, metrics: bytes) -> None:
        """Write a checkpoint and remove the oldest beyond `keep_checkpoints`. `metrics` are rank 0's lines up to it.

        Raises StoreError, Superseded.
        """
        name = f"{_PREFIX}{progress.step:08d}"
        local = self._save_locally(name, metrics)
        mine = {path.name: _entry(path) for path in sorted(local.iterdir()) if path.is_file()}
        attempt.require(self._task, self._token)
        for file in mine:
            self._store.upload(local / file, f"{self._root}/{name}/{file}")
        entries: list[Any] = [None] * self._num_ranks
        dist.all_gather_object(entries, mine)  # also the barrier: nobody is past it before all have uploaded
        faults.point("pretrain.checkpoint.files_uploaded")
        if self._rank == 0:
            attempt.require(self._task, self._token)
            files = {file: entry for part in entries for file, entry in part.items()}
            manifest = json.dumps(self._manifest(progress, files), indent=1)
            faults.point("pretrain.checkpoint.manifest")
            self._store.write(f"{self._root}/{name}/{MANIFEST}", manifest.encode())
            self._store.write(f"{self._root}/latest", name.encode())
            for old in self._complete()[self._task.training.keep_checkpoints :]:
                # The manifest first: a removal cut short leaves no checkpoint, rather than a broken one.
                self._store.delete(f"{self._root}/{old}/{MANIFEST}")
                self._store.delete(f"{self._root}/{old}")
        dist.barrier()

    def _save_locally(self, name: str, metrics: bytes) -> Path:
        shutil.rmtree(self._staging, ignore_errors=True)
        local = self._staging / name
        local.mkdir(parents=True)
        self._engine.save_checkpoint(str(self._staging), tag=name, client_state={}, save_latest=False)
        torch.save(_random_state(), local / f"random_rank_{self._rank:05d}.pt")
        if self._rank == 0:
            (local / _METRICS).write_bytes(metrics)
        return local

    def _manifest(self, progress: Progress, files: dict[str, Any]) -> dict[str, Any]:
        training = self._task.training
        return {
            "step": progress.step,
            "samples": progress.samples,
            "num_ranks": self._num_ranks,
            "zero_stage": training.zero_stage,
            "precision": training.precision,
            "fingerprint": self._task.fingerprint,
            "torch": torch.__version__,
            "files": files,
        }

    def take_up(self) -> tuple[Progress, bytes]:
        """Load the newest complete checkpoint whose digests hold; without one, the run starts at 0. The metrics that
        it carries come back on rank 0, nothing on the others.

        What is newer and cannot be used is moved aside and reported. Raises CheckpointError when the checkpoint is of
        another run or of another layout, on every rank.
        """
        chosen: list[Any] = [None]
        if self._rank == 0:
            try:
                attempt.require(self._task, self._token)
                chosen[0] = self._choose()
            except Exception as error:  # noqa: BLE001 - the other ranks wait for an answer, whatever it is
                chosen[0] = error
        dist.broadcast_object_list(chosen)
        if isinstance(chosen[0], Exception):
            raise chosen[0]
        if chosen[0] is None:
            return Progress(), b""
        folder, manifest = Path(chosen[0][0]), chosen[0][1]
        self._engine.load_checkpoint(str(folder.parent), tag=folder.name)
        random = folder / f"random_rank_{self._rank:05d}.pt"
        if random.exists():
            _set_random_state(torch.load(random, weights_only=True))
        metrics = (folder / _METRICS).read_bytes() if self._rank == 0 else b""
        dist.barrier()
        return Progress(manifest["step"], manifest["samples"]), metrics

    def _choose(self) -> tuple[str, dict[str, Any]] | None:
        """A local folder with the files of the newest checkpoint that holds, and its manifest."""
        names = [name for name in self._store.names(self._root) if name.startswith(_PREFIX)]
        for name in sorted(names, reverse=True):
            folder = f"{self._root}/{name}"
            try:
                manifest = self._read_manifest(folder)
                self._refuse_other_layout(name, manifest)
                return str(self._verified(folder, manifest)), manifest
            except _Broken as broken:
                self._move_aside(name, str(broken))
        return None

    def _read_manifest(self, folder: str) -> dict[str, Any]:
        if not self._store.exists(f"{folder}/{MANIFEST}"):
            raise _Broken("it has no manifest: its upload was cut short")
        try:
            manifest: dict[str, Any] = json.loads(self._store.read(f"{folder}/{MANIFEST}"))
            if {"step", "samples", "num_ranks", "zero_stage", "precision", "fingerprint", "files"} <= manifest.keys():
                return manifest
        except ValueError:
            pass
        raise _Broken("its manifest cannot be read")

    def _refuse_other_layout(self, name: str, manifest: dict[str, Any]) -> None:
        where = f"checkpoint {self._root}/{name}"
        if manifest["fingerprint"] != self._task.fingerprint:
            found = f"fingerprint {manifest['fingerprint']}, expected {self._task.fingerprint}"
            raise CheckpointError(f"{where}: {found}: it is of another run; remove it or take another store")
        training = self._task.training
        layout = f"ZeRO-{training.zero_stage} {training.precision} on {self._num_ranks} ranks"
        found = f"ZeRO-{manifest['zero_stage']} {manifest['precision']} on {manifest['num_ranks']} ranks"
        # Without ZeRO every rank holds all of the optimizer's state, so any number of ranks can go on with it.
        ranks_fit = manifest["num_ranks"] == self._num_ranks or training.zero_stage == 0
        same = (manifest["zero_stage"], manifest["precision"]) == (training.zero_stage, training.precision)
        if not (ranks_fit and same):
            raise CheckpointError(
                f"{where}: it was saved as {found}, but this run is {layout}; DeepSpeed cannot load ZeRO's optimizer"
                f" state into another layout: run it with cluster.training_ranks {manifest['num_ranks']},"
                f" training.zero_stage {manifest['zero_stage']} and training.precision {manifest['precision']}"
            )

    def _verified(self, folder: str, manifest: dict[str, Any]) -> Path:
        """The checkpoint's files in a local folder, each with the bytes and the digest that the manifest names."""
        local = self._store.local_path(folder)
        if local is None:
            local = self._staging.parent / "taken-up" / folder.rsplit("/", 1)[-1]
            shutil.rmtree(local.parent, ignore_errors=True)
            local.mkdir(parents=True)
            for file in manifest["files"]:
                if self._store.exists(f"{folder}/{file}"):
                    self._store.download(f"{folder}/{file}", local / file)
        for file, expected in manifest["files"].items():
            found = _entry(local / file) if (local / file).is_file() else "no such file"
            if found != expected:
                raise _Broken(f"{file}: {found}, expected {expected}")
        return local

    def _move_aside(self, name: str, reason: str) -> None:
        target = f"{_BROKEN}{name}"
        self._store.delete(f"{self._root}/{target}")
        local = self._store.local_path(f"{self._root}/{name}")
        if local is not None:
            local.rename(local.with_name(target))
        else:
            self._staging.mkdir(parents=True, exist_ok=True)
            prefix = f"{self._root}/{name}/"
            for path in self._store.files(f"{self._root}/{name}"):
                self._store.download(path, self._staging / "moving")
                self._store.upload(self._staging / "moving", f"{self._root}/{target}/{path.removeprefix(prefix)}")
            self._store.delete(f"{self._root}/{name}")
        self._channel.event({"event": "checkpoint_broken", "name": name, "moved_to": target, "reason": reason})

    def _complete(self) -> list[str]:
        """Names of the checkpoints with a manifest, newest first."""
        names = [name for name in self._store.names(self._root) if name.startswith(_PREFIX)]
        return [name for name in sorted(names, reverse=True) if self._store.exists(f"{self._root}/{name}/{MANIFEST}")]


class _Broken(Exception):
    """This checkpoint cannot be used, and an older one may do."""


def _entry(path: Path) -> dict[str, Any]:
    """What the manifest says of a file: bytes and BLAKE3."""
    return {"bytes": path.stat().st_size, "blake3": blake3(max_threads=1).update_mmap(path).hexdigest()}


def _random_state() -> dict[str, torch.Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _set_random_state(state: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
