"""Checkpoints in the store: complete or absent, and the same whatever layout saved them.

    checkpoints/step-00000100/
        state-00000-<start>.safetensors   what rank 0 holds of weights and AdamW's moments, in fp32
        metrics-<start>.jsonl             the metrics up to that step
        manifest.json                     written last; it makes this a checkpoint
    checkpoints/latest                    the name of the newest, for people; loading goes by manifests
    checkpoints/broken-...                what could not be taken up, moved aside

`<start>` is of the token of the start that writes: one that is cut off and does not know that it was superseded never
writes over a file of the next.

Each rank saves the pieces of parameters that it holds (`jobs.pretrain.state`), uploads them, reads them back and
compares the digest; when all have, rank 0 commits the manifest, which says which file holds which elements. So a run
goes on with any number of ranks, ZeRO stage and pipeline, each rank reading the files that it needs and checking their
digests, with no conversion between: 12 bytes a parameter, once. Random states are not kept: each step's follow from its
number.
"""

import math
import shutil
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from blake3 import blake3
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from jobs.pretrain import attempt
from jobs.pretrain.engine import Engine
from jobs.pretrain.manifest import FORMAT, MANIFEST, PREFIX, Places, seal, unseal
from jobs.pretrain.state import KINDS, WEIGHT, Piece, adam_steps, pieces, refresh_model, set_adam_steps
from jobs.pretrain.task import TrainTask
from seedbed import faults
from seedbed.errors import CheckpointError
from seedbed.store import Store

_BROKEN, _METRICS = "broken-", "metrics-"
_TOKEN_LETTERS = 8


@dataclass(frozen=True)
class Progress:
    """How far a run is; with weights and optimizer, all its state."""

    step: int = 0  # optimizer steps taken
    samples: int = 0  # samples consumed: the loader's whole state


class Checkpoints:
    """The checkpoints of one run, as seen by one rank. Every method is called by all ranks together."""

    def __init__(self, task: TrainTask, token: str, engine: Engine) -> None:
        self._task, self._token = task, token
        self._engine = engine
        self._store = Store(task.store_url)
        self._root = task.checkpoints_path
        self._rank, self._num_ranks = dist.get_rank(), dist.get_world_size()
        self._staging = attempt.staging(task, token) / f"rank-{self._rank:05d}"
        self._state_file = f"state-{self._rank:05d}-{token[:_TOKEN_LETTERS]}.safetensors"
        self._metrics_file = f"{_METRICS}{token[:_TOKEN_LETTERS]}.jsonl"

    def save(self, progress: Progress, metrics: bytes, validation_loss: float | None = None) -> None:
        """Write a checkpoint, then remove those that retention does not keep.

        `validation_loss` is the one measured at this step; the checkpoint with the lowest stays beside the newest.
        Raises StoreError, Superseded, and CheckpointError when what was written does not read back the same.
        """
        name = f"{PREFIX}{progress.step:08d}"
        mine = [piece for held in pieces(self._engine) if (piece := held.to_save()) and piece.numel]
        local = self._write_locally(name, mine, metrics)
        entries = {path.name: _entry(path) for path in sorted(local.iterdir())}
        attempt.require(self._task, self._token)
        for file, entry in entries.items():
            self._store.upload(local / file, f"{self._root}/{name}/{file}")
            self._require_read_back(f"{self._root}/{name}/{file}", entry)
        content = {self._state_file: [(piece.name, piece.start, piece.numel) for piece in mine]}
        parts: list[Any] = [None] * self._num_ranks
        dist.all_gather_object(parts, (entries, content))  # also the barrier: past it, all have uploaded
        faults.point("pretrain.checkpoint.files_uploaded")
        if self._rank == 0:
            attempt.require(self._task, self._token)
            manifest = seal(self._manifest(progress, parts, validation_loss))
            faults.point("pretrain.checkpoint.manifest")
            self._store.write(f"{self._root}/{name}/{MANIFEST}", manifest)
            self._store.write(f"{self._root}/latest", name.encode())
            self._remove_old()
        dist.barrier()

    def _write_locally(self, name: str, mine: list[Piece], metrics: bytes) -> Path:
        shutil.rmtree(self._staging, ignore_errors=True)
        local = self._staging / name
        local.mkdir(parents=True)
        tensors = {
            _key(kind, piece.name, piece.start): value.detach().to("cpu", copy=True)
            for piece in mine
            for kind, value in piece.values.items()
        }
        save_file(tensors, local / self._state_file)
        (local / self._state_file).chmod(0o644)  # safetensors makes it 0600, unlike the files beside it
        if self._rank == 0:
            (local / self._metrics_file).write_bytes(metrics)
        return local

    def _require_read_back(self, path: str, expected: dict[str, Any]) -> None:
        local = self._store.local_path(path)
        if local is None:
            local = self._staging / "read-back"
            self._store.download(path, local)
        if (found := _entry(local)) != expected:
            raise CheckpointError(f"{path} in {self._store.url}: written {expected}, but it reads back as {found}")

    def _manifest(self, progress: Progress, parts: list[Any], validation_loss: float | None) -> dict[str, Any]:
        training = self._task.training
        return {
            "format": FORMAT,
            **asdict(progress),
            "adam_steps": adam_steps(self._engine),
            "loss_scaler": _loss_scaler_state(self._engine),
            "validation_loss": validation_loss,
            "fingerprint": self._task.fingerprint,
            "layout": {
                "ranks": self._num_ranks,
                "zero_stage": training.zero_stage,
                "pipeline_stages": training.pipeline_stages,
                "precision": training.precision,
            },
            "software": {package: version(package) for package in ("torch", "deepspeed")},
            "files": {file: entry for entries, _ in parts for file, entry in entries.items()},
            "pieces": {file: held for _, content in parts for file, held in content.items()},
        }

    def _remove_old(self) -> None:
        """Keep the newest `keep_checkpoints` and the one with the lowest validation loss."""
        complete = self._complete()
        for name in self._names():
            if name < complete[0] and name not in complete:  # a removal that was cut short
                self._store.delete(f"{self._root}/{name}")
        old = complete[self._task.training.keep_checkpoints :]
        if not old:
            return
        manifests = {name: unseal(self._store.read(f"{self._root}/{name}/{MANIFEST}")) for name in complete}
        losses = {name: m.get("validation_loss") for name, m in manifests.items() if isinstance(m, dict)}
        measured = {name: loss for name, loss in losses.items() if loss is not None and math.isfinite(loss)}
        best = min(measured, key=lambda name: (measured[name], name), default=None)
        for name in old:
            if name != best:
                # The manifest first: a removal cut short leaves no checkpoint, rather than a broken one.
                self._store.delete(f"{self._root}/{name}/{MANIFEST}")
                self._store.delete(f"{self._root}/{name}")

    def take_up(self) -> tuple[Progress, bytes, list[dict[str, Any]]]:
        """Load the newest complete checkpoint whose digests hold; without one, the run starts at 0.

        Back come the progress, the metrics up to it, and an event for each newer checkpoint that could not be used and
        was moved aside. Raises CheckpointError on every rank when the checkpoint is of another run.
        """
        held = pieces(self._engine)
        events = []
        for name in self._on_rank_0(self._names):
            manifest = self._on_rank_0(lambda name=name: self._read_manifest(name))
            reason = manifest if isinstance(manifest, str) else None
            files: dict[str, Path] = {}
            if reason is None:
                places = Places(manifest["pieces"])
                files, reason = self._fetch_all(name, manifest, places, held)
            if reason is not None:
                events.append(self._on_rank_0(lambda name=name, reason=reason: self._move_aside(name, reason)))
                continue
            _load(held, places, files)
            set_adam_steps(self._engine, manifest["adam_steps"])
            _set_loss_scaler_state(self._engine, manifest["loss_scaler"])
            refresh_model(self._engine)
            metrics = files[_metrics_file(manifest)].read_bytes() if self._rank == 0 else b""
            dist.barrier()
            return Progress(manifest["step"], manifest["samples"]), metrics, events
        return Progress(), b"", events

    def _on_rank_0(self, do: Any) -> Any:
        """What `do` gives on rank 0, everywhere; what it raises there is raised everywhere."""
        answer: list[Any] = [None]
        if self._rank == 0:
            try:
                attempt.require(self._task, self._token)
                answer[0] = do()
            except Exception as error:  # noqa: BLE001 - the other ranks wait for an answer, whatever it is
                answer[0] = error
        dist.broadcast_object_list(answer)
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]

    def _names(self) -> list[str]:
        return sorted((n for n in self._store.names(self._root) if n.startswith(PREFIX)), reverse=True)

    def _complete(self) -> list[str]:
        """Names of the checkpoints with a manifest, newest first."""
        return [name for name in self._names() if self._store.exists(f"{self._root}/{name}/{MANIFEST}")]

    def _read_manifest(self, name: str) -> dict[str, Any] | str:
        """The manifest, or why there is none that can be used."""
        folder = f"{self._root}/{name}"
        if not self._store.exists(f"{folder}/{MANIFEST}"):
            return "it has no manifest: its upload was cut short"
        manifest = unseal(self._store.read(f"{folder}/{MANIFEST}"))
        if isinstance(manifest, str):
            return manifest
        if manifest["format"] != FORMAT:
            raise CheckpointError(
                f"checkpoint {folder}: format {manifest['format']}, expected {FORMAT}: another version of Seedbed wrote"
                " it; take that version, or remove the checkpoints to start over"
            )
        if manifest["fingerprint"] != self._task.fingerprint:
            found = f"fingerprint {manifest['fingerprint']}, expected {self._task.fingerprint}"
            raise CheckpointError(
                f"checkpoint {folder}: {found}: it is of another run; remove it or take another store"
            )
        return manifest

    def _fetch_all(
        self, name: str, manifest: dict[str, Any], places: Places, held: list[Piece]
    ) -> tuple[dict[str, Path], str | None]:
        """The files that this rank needs, as local ones that hold what the manifest says.

        Or, the same on every rank, why the checkpoint cannot be used. Raises on every rank what stopped one.
        """
        runs = [(piece.name, piece.start, piece.numel) for piece in held]
        needed = {file for run in runs for file, _, _ in places.sources(*run)}
        if self._rank == 0:
            needed.add(_metrics_file(manifest))
        files: dict[str, Path] = {}
        outcome: Exception | str | None = None
        try:
            for file in sorted(needed):
                files[file], outcome = self._fetch(name, file, manifest["files"].get(file))
                if outcome is not None:
                    break
            else:
                outcome = next((gap for run in runs if (gap := places.gap(*run))), None)
        except Exception as error:  # noqa: BLE001 - the other ranks wait for an answer, whatever it is
            outcome = error
        outcomes: list[Any] = [None] * self._num_ranks
        dist.all_gather_object(outcomes, outcome)
        for found in outcomes:
            if isinstance(found, Exception):
                raise found
        return files, next((found for found in outcomes if found is not None), None)

    def _fetch(self, name: str, file: str, expected: dict[str, Any] | None) -> tuple[Path, str | None]:
        path = f"{self._root}/{name}/{file}"
        local = self._store.local_path(path)
        if local is None:
            local = self._staging / "taken-up" / name / file
            local.parent.mkdir(parents=True, exist_ok=True)
            if self._store.exists(path):
                self._store.download(path, local)
        found = _entry(local) if local.is_file() else "no such file"
        return local, None if found == expected else f"{file}: {found}, expected {expected}"

    def _move_aside(self, name: str, reason: str) -> dict[str, Any]:
        target = f"{_BROKEN}{name}"
        self._store.delete(f"{self._root}/{target}")
        self._store.move(f"{self._root}/{name}", f"{self._root}/{target}")
        return {"event": "checkpoint_broken", "name": name, "moved_to": target, "reason": reason}

    def newest_weights(self) -> dict[str, Tensor]:
        """On rank 0 every weight of the newest complete checkpoint, fp32, whole, by name; elsewhere nothing."""

        def assemble() -> dict[str, Tensor]:
            name = self._complete()[0]
            manifest = self._read_manifest(name)
            if isinstance(manifest, str):
                raise CheckpointError(f"checkpoint {self._root}/{name}: {manifest}; run it again")
            places = Places(manifest["pieces"])
            for parameter, size in sizes.items():
                if gap := places.gap(parameter, 0, size):
                    raise CheckpointError(f"checkpoint {self._root}/{name}: {gap}; run it again")
            flat = {parameter: torch.empty(size) for parameter, size in sizes.items()}
            for file, saved in manifest["pieces"].items():
                path, broken = self._fetch(name, file, manifest["files"][file])
                if broken is not None:
                    raise CheckpointError(f"checkpoint {self._root}/{name}: {broken}; run it again")
                with safe_open(path, framework="pt") as reader:
                    for parameter, start, numel in saved:
                        flat[parameter][start : start + numel] = reader.get_tensor(_key(WEIGHT, parameter, start))
                if not self._store.is_local:
                    path.unlink()  # all files together are three times what is returned
            return {parameter: flat[parameter].view(shapes[parameter]) for parameter in flat}

        parts: list[Any] = [None] * self._num_ranks
        mine = {name: tuple(getattr(p, "ds_shape", p.shape)) for name, p in self._engine.parameters().items()}
        dist.all_gather_object(parts, mine)  # a stage of a pipeline knows its own shapes alone
        shapes = {name: shape for part in parts for name, shape in part.items()}
        sizes = {name: torch.Size(shape).numel() for name, shape in shapes.items()}
        return assemble() if self._rank == 0 else {}


def _metrics_file(manifest: dict[str, Any]) -> str:
    return next(file for file in manifest["files"] if file.startswith(_METRICS))


def _key(kind: str, name: str, start: int) -> str:
    return f"{kind}/{name}/{start}"


@torch.no_grad()
def _load(held: list[Piece], places: Places, files: dict[str, Path]) -> None:
    """Fill this rank's pieces from the files."""
    readers = {file: safe_open(path, framework="pt") for file, path in files.items() if not file.startswith(_METRICS)}
    for piece in held:
        for file, start, numel in places.sources(piece.name, piece.start, piece.numel):
            first, end = max(piece.start, start), min(piece.start + piece.numel, start + numel)
            for kind in KINDS:
                value = readers[file].get_slice(_key(kind, piece.name, start))[first - start : end - start]
                piece.values[kind][first - piece.start : end - piece.start].copy_(value)


def _entry(path: Path) -> dict[str, Any]:
    """What the manifest says of a file: bytes and BLAKE3."""
    return {"bytes": path.stat().st_size, "blake3": blake3(max_threads=1).update_mmap(path).hexdigest()}


_LOSS_SCALER_STATE = ("cur_scale", "cur_iter", "last_overflow_iter", "cur_hysteresis")  # DeepSpeed's DynamicLossScaler


def _loss_scaler_state(engine: Engine) -> dict[str, float] | None:
    if engine.training.precision != "fp16":
        return None
    scaler = engine.wrapped.optimizer.loss_scaler
    return {name: getattr(scaler, name) for name in _LOSS_SCALER_STATE}


def _set_loss_scaler_state(engine: Engine, state: dict[str, float] | None) -> None:
    for name, value in (state or {}).items():
        setattr(engine.wrapped.optimizer.loss_scaler, name, value)
