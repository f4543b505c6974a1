"""A run's token shards as local files, which is what can be mapped into memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dataprep.indexed_dataset import bin_path, idx_path
from dataprep.token_stream import TokenStream
from jobs.scratch import scratch_folder
from seedbed.artifact import Artifact
from seedbed.state import StateDirectory
from seedbed.store import Store


@dataclass(frozen=True)
class TokenShards:
    """Which shards there are, and where this node keeps them: in a store that is a folder, or fetched from it."""

    store_url: str
    scratch_dir: str | None
    train: tuple[str, ...]  # store paths without suffix, in the order of the stream
    validation: tuple[str, ...]
    train_of: dict[str, tuple[str, ...]] = field(default_factory=dict)  # the same by source; of a mixture

    @classmethod
    def of(cls, shards: Artifact, scratch_dir: str | None) -> "TokenShards":
        """Those of a committed artifact."""
        manifest = shards.committed()
        names, sources = manifest["token_shards"], manifest.get("sources", {})
        train, validation = (
            tuple(f"{shards.path}/{name}" for name in names[split]) for split in ("train", "validation")
        )
        train_of = {
            source: tuple(f"{shards.path}/{name}" for name in found["token_shards"])
            for source, found in sources.items()
        }
        return cls(shards.store.url, scratch_dir, train, validation, train_of)

    def fetch(self, on_fetch: Callable[[str], None] = lambda _: None) -> None:
        """Copy what this node lacks; `on_fetch` is told of each shard. Raises StoreError.

        Processes of one node that want the same shards wait for the one that fetches them.
        """
        store = Store(self.store_url)
        if store.is_local:
            return
        locks = StateDirectory(scratch_folder(self.scratch_dir, "shards"))
        for path in (*self.train, *self.validation):
            on_fetch(path)
            prefix = self._local(path)
            prefix.parent.mkdir(parents=True, exist_ok=True)
            with locks.lease(path.replace("/", "-"), lambda _: None):
                for local, suffix in ((bin_path(prefix), ".bin"), (idx_path(prefix), ".idx")):
                    if local.is_file() and local.stat().st_size == store.size(path + suffix):
                        continue
                    temporary = local.with_name(f"{local.name}.incomplete")
                    store.download(path + suffix, temporary)
                    temporary.replace(local)

    def train_stream(self) -> TokenStream:
        """The training tokens. `fetch` must have been called on this node."""
        return TokenStream([self._local(path) for path in self.train])

    def stream_of(self, source: str) -> TokenStream:
        """The training tokens of one source of a mixture, likewise."""
        return TokenStream([self._local(path) for path in self.train_of[source]])

    def validation_stream(self) -> TokenStream:
        """The held-out tokens, likewise."""
        return TokenStream([self._local(path) for path in self.validation])

    def _local(self, path: str) -> Path:
        """The local path, without suffix, of the shard at `path` in the store."""
        return Store(self.store_url).local_path(path) or scratch_folder(self.scratch_dir, "shards") / path
