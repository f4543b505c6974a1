"""Where a run's token shards lie as local files, which is what can be mapped into memory."""

import uuid
from pathlib import Path

from dataprep.indexed_dataset import bin_path, idx_path
from jobs.pretrain.task import TrainTask
from seedbed.store import Store


def local_shard(task: TrainTask, path: str) -> Path:
    """The local path, without suffix, of the shard at `path` in the store: the store's own where it is a folder."""
    return Store(task.store_url).local_path(path) or Path(task.state_dir) / "shards" / path


def fetch_shards(task: TrainTask) -> None:
    """Copy what the state directory lacks from a store that is no folder. Raises StoreError."""
    store = Store(task.store_url)
    if store.is_local:
        return
    for path in (*task.train_shards, *task.validation_shards):
        prefix = local_shard(task, path)
        prefix.parent.mkdir(parents=True, exist_ok=True)
        for local, suffix in ((bin_path(prefix), ".bin"), (idx_path(prefix), ".idx")):
            if local.is_file() and local.stat().st_size == store.size(path + suffix):
                continue
            # A name of its own: two runs that share shards may fetch them at once.
            temporary = local.with_name(f"{local.name}.{uuid.uuid4().hex[:12]}.incomplete")
            store.download(path + suffix, temporary)
            temporary.replace(local)
