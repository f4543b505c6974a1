"""The input shards of the earlier corpora that a run is deduplicated against, a unit each."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from jobs.shuffled import Shuffled
from jobs.step_run import StepRun
from seedbed.artifact import Artifact
from seedbed.earlier import EarlierCorpus, check_same
from seedbed.store import Store


@dataclass(frozen=True)
class OldShards:
    """`shards` has those of each corpus, as its `extract` lists them; all three are by corpus, none where the run names
    no earlier one."""

    corpora: list[EarlierCorpus]
    stores: list[str]  # URLs
    shards: list[list[dict[str, str]]]

    @classmethod
    def of(cls, step: StepRun) -> Self:
        """Raises UsageError where a corpus is gone, or another since the run was planned."""
        corpora = [EarlierCorpus.from_json(one) for one in step.config.get("earlier", ())]
        named, own = step.plan.run.data.deduplicate.against, step.artifact.store.url
        stores = [Store(one.store).url if one.store else own for one in named]
        shards = [check_same(corpus, Store(store)) for corpus, store in zip(corpora, stores, strict=True)]
        return cls(corpora, stores, shards)

    @cached_property
    def num_documents(self) -> int:
        """Of all corpora."""
        found = [artifacts_of(one.to_json(), store) for one, store in zip(self.corpora, self.stores, strict=True)]
        return sum(artifacts["corpus"].committed()["records_out"] for artifacts in found)

    @cached_property
    def by_corpus(self) -> list[list[str]]:
        """Names of units."""
        return [[f"{number}-{shard['unit']}" for shard in shards] for number, shards in enumerate(self.shards)]

    def written(self, table: str) -> list[Shuffled]:
        """What the units of each corpus have written."""
        return [Shuffled(table, units) for units in self.by_corpus]

    @property
    def units(self) -> list[str]:
        return [unit for units in self.by_corpus for unit in units]

    def arguments(self, num_partitions: int) -> dict[str, dict[str, Any]]:
        """By unit: where its shard lies."""
        return {
            unit: {"corpus": corpus.to_json(), "store": store, "shard": shard["unit"], "num_partitions": num_partitions}
            for corpus, store, shards, units in zip(self.corpora, self.stores, self.shards, self.by_corpus, strict=True)
            for shard, unit in zip(shards, units, strict=True)
        }

    def told(self) -> list[dict[str, Any]]:
        """Of each corpus its run and its shards, for the manifest."""
        return [
            {"run": corpus.run, "input_shards": shards}
            for corpus, shards in zip(self.corpora, self.shards, strict=True)
        ]


def artifacts_of(corpus: dict[str, Any], store: str) -> dict[str, Artifact]:
    """The artifacts of one corpus by kind, from what `arguments` says."""
    return EarlierCorpus.from_json(corpus).artifacts(Store(store))
