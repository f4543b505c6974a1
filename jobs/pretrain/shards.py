"""Where a run's token shards lie as local files, which is what can be mapped into memory."""

from collections.abc import Callable
from pathlib import Path

from dataprep.indexed_dataset import bin_path, idx_path
from jobs.pretrain.task import TrainTask
from jobs.scratch import scratch_folder
from seedbed.state import StateDirectory
from seedbed.store import Store


def local_shard(task: TrainTask, path: str) -> Path:
    """The local path, without suffix, of the shard at `path` in the store: the store's own where it is a folder."""
    return Store(task.store_url).local_path(path) or scratch_folder(task.scratch_dir, "shards") / path


def fetch_shards(task: TrainTask, on_fetch: Callable[[str], None] = lambda _: None) -> None:
    """Copy what this node lacks from a store that is no folder; `on_fetch` is told of each shard. Raises StoreError.

    Processes of one node that want the same shards wait for the one that fetches them.
    """
    store = Store(task.store_url)
    if store.is_local:
        return
    locks = StateDirectory(scratch_folder(task.scratch_dir, "shards"))
    for path in (*task.train_shards, *task.validation_shards):
        on_fetch(path)
        prefix = local_shard(task, path)
        prefix.parent.mkdir(parents=True, exist_ok=True)
        with locks.lease(path.replace("/", "-"), lambda _: None):
            for local, suffix in ((bin_path(prefix), ".bin"), (idx_path(prefix), ".idx")):
                if local.is_file() and local.stat().st_size == store.size(path + suffix):
                    continue
                temporary = local.with_name(f"{local.name}.incomplete")
                store.download(path + suffix, temporary)
                temporary.replace(local)
