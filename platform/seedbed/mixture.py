"""The mixture of a run before it is trained: what each source has, as far as is known, and what is taken of it.

files --size--> at most --corpus--> likely --shards--> counted
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from dataprep.mixture import Mixture, MixtureConfig, Remark, most_samples, quotas
from seedbed.runfile.run import RunConfig
from seedbed.sources import SourceFile
from seedbed.unique_tokens import UniqueTokens, likely_tokens, max_tokens

AT_MOST, LIKELY, COUNTED = "at most", "likely", "counted"
"""How well the tokens of the sources are known: by the size of their files; by the bytes of text that are left of them
in the corpus; by `shards`."""

Manifests = Mapping[str, dict[str, Any] | None]


@dataclass(frozen=True)
class MixedSource:
    """One source's part of a training, in tokens of whole samples."""

    source: str
    available: int
    known: str  # at most, likely or counted
    weight_asked: float  # share of the training; those of all sources add up to 1
    weight: float  # that it gets
    tokens: int  # that are taken, repeats counted
    epochs: float


@dataclass(frozen=True)
class MixtureNumbers:
    """What the sources of a run have, in samples, and what a number of training tokens takes of them."""

    config: MixtureConfig
    available: dict[str, int]
    known: str
    sequence_length: int

    @classmethod
    def of(cls, rows: tuple[MixedSource, ...], run: RunConfig) -> "MixtureNumbers | None":
        """Again what `rows` were made of."""
        config, length = run.data.mixture, run.model.sequence_length
        if config is None or not rows:
            return None
        return cls(config, {row.source: row.available // length for row in rows}, rows[0].known, length)

    def mixture(self, training_tokens: int) -> Mixture:
        return quotas(self.available, self.config, training_tokens // self.sequence_length, self.sequence_length)

    def unique_tokens(self, training_tokens: int) -> int:
        """How many different tokens a training sees: of each source what is taken, once."""
        shares = self.mixture(training_tokens).shares.values()
        return sum(min(share.taken, share.available) for share in shares) * self.sequence_length

    @cached_property
    def most_tokens(self) -> int:
        """The longest training that the caps allow."""
        return sum(most_samples(self.available, self.config, self.sequence_length).values()) * self.sequence_length

    def rows(self, training_tokens: int) -> tuple[MixedSource, ...]:
        return mixed_sources(self.mixture(training_tokens), self.known, self.sequence_length)

    def remarks(self, training_tokens: int) -> tuple[Remark, ...]:
        return self.mixture(training_tokens).remarks

    def seen(self, unique: UniqueTokens, training_tokens: int) -> UniqueTokens:
        """Of the unique tokens that there are, those that the training sees, as well as both are known."""
        if self.known == AT_MOST:
            most = most_samples(self.available, self.config, self.sequence_length)
            samples = sum(self.available[name] for name, taken in most.items() if taken)
            at_most = min(unique.at_most, samples * self.sequence_length)
            return UniqueTokens(at_most, None if unique.likely is None else min(unique.likely, at_most))
        seen = self.unique_tokens(training_tokens)
        if self.known == COUNTED:
            return UniqueTokens(seen, seen, seen)
        return replace(unique, likely=min(seen, unique.at_most))


def mixed_sources(mixture: Mixture, known: str, sequence_length: int) -> tuple[MixedSource, ...]:
    """A row for each source, also for those that nothing is taken of."""
    taken = sum(share.taken for share in mixture.shares.values())
    return tuple(
        MixedSource(
            source=name,
            available=share.available * sequence_length,
            known=known,
            weight_asked=share.weight,
            weight=share.taken / taken if taken else 0.0,
            tokens=share.taken * sequence_length,
            epochs=share.epochs,
        )
        for name, share in mixture.shares.items()
    )


def mixture_cells(rows: tuple[MixedSource, ...]) -> list[tuple[str, ...]]:
    """Each row in words: source, tokens available, weight asked, weight got, tokens taken, epochs."""
    return [
        (
            row.source,
            f"{'' if row.known == COUNTED else f'{row.known} '}{row.available:,}",
            f"{row.weight_asked:.4f}",
            f"{row.weight:.4f}",
            f"{row.tokens:,}",
            f"{'at least ' if row.known == AT_MOST and row.tokens else ''}{_times(row.epochs)}",
        )
        for row in rows
    ]


def _times(epochs: float) -> str:
    return f"{epochs:.2f}" if epochs >= 0.1 or not epochs else f"{epochs:.2g}"


def mixture_numbers(files: tuple[SourceFile, ...], run: RunConfig, manifests: Manifests) -> MixtureNumbers | None:
    """By what is known now; None of a run that mixes nothing."""
    config, length = run.data.mixture, run.model.sequence_length
    if config is None:
        return None
    shards, corpus = manifests.get("shards"), manifests.get("corpus")
    if shards is not None:
        available = dict.fromkeys(run.data.sources, 0) | available_samples(shards, length)
        return MixtureNumbers(config, available, COUNTED, length)
    sources = (corpus or {}).get("sources")
    if sources is not None:
        known = {
            name: int(likely_tokens(sources[name]["train_bytes"], sources[name]["train_documents"]))
            if name in sources
            else 0
            for name in run.data.sources
        }
        return MixtureNumbers(config, {name: tokens // length for name, tokens in known.items()}, LIKELY, length)
    most = dict.fromkeys(run.data.sources, 0)
    for file in files:
        most[file.source] += max_tokens(file)
    return MixtureNumbers(config, {name: tokens // length for name, tokens in most.items()}, AT_MOST, length)


def available_samples(shards: dict[str, Any], sequence_length: int) -> dict[str, int]:
    """Samples of each source, by the manifest of token shards that keep sources apart.

    A sample needs the token after its last one (`dataprep.token_stream`).
    """
    sources: dict[str, dict[str, Any]] = shards["sources"]
    return {name: max(found["train_tokens"] - 1, 0) // sequence_length for name, found in sources.items()}
