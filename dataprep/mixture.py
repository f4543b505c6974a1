"""The mixture: how often a run sees each source, and the order in which the sources take turns.

    samples of each source, weights or a temperature, caps --quotas--> samples taken of each --MixedOrder--> order

Weights by temperature are p_i ~ n_i^(1/T) (Arivazhagan et al. 2019): T = 1 is the sources as they are, a large T makes
them equal. Conneau and Lample 2019 and mT5 (Xue et al. 2020) write alpha for 1/T and take 0.5 and 0.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataprep.order import SampleOrder, shuffled

MAX_EPOCHS = 4.0
"""Muennighoff et al. 2023: up to 4 epochs of the same text train almost as well as new text."""

SUM_TOLERANCE = 1e-6
"""By how much weights written with six digits may miss 1 without a word."""


class MixtureConfig(BaseModel):
    """How much of the training text each source is: given weights, or by size and a temperature."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    weights: dict[str, float] | None = Field(
        default=None,
        min_length=1,
        description="share of each source in the tokens trained on; a source that is not named is not trained on",
    )
    temperature: float | None = Field(
        default=None,
        ge=1,
        description="instead of weights: T of p_i ~ n_i^(1/T), n_i a source's tokens. 1: as they are; large: all equal",
    )
    max_epochs: float = Field(
        default=MAX_EPOCHS,
        gt=0,
        description="a source is seen at most so often (Muennighoff et al. 2023: 4 epochs train almost as well as new "
        "text); the rest is given to the other sources in proportion",
    )
    tokens: dict[str, int] = Field(
        default_factory=dict, description="by source: tokens that are taken of it at most, repeats counted"
    )

    @model_validator(mode="after")
    def _one_way_to_weigh(self) -> Self:
        if (self.weights is None) == (self.temperature is None):
            raise ValueError("expected either weights or a temperature")
        for name, value in (self.weights or {}).items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"weights.{name}: found {value}, expected a share of at least 0")
        if self.weights is not None and not sum(self.weights.values()):
            raise ValueError("weights: all are 0")
        for name, number in self.tokens.items():
            if number < 0:
                raise ValueError(f"tokens.{name}: found {number}, expected at least 0")
        return self


@dataclass(frozen=True)
class Share:
    """One source's part. `available` and `taken` are in samples."""

    available: int
    weight: float  # that was asked for, weights made to add up to 1
    taken: int

    @property
    def epochs(self) -> float:
        """How often each sample is seen, on average."""
        return self.taken / self.available if self.available else 0.0


@dataclass(frozen=True)
class Remark:
    """Something that could not be as asked. `found` and `allowed` are in tokens where they are not shares."""

    key: str  # below the mixture's own, dotted
    found: float
    allowed: float
    message: str


@dataclass(frozen=True)
class Mixture:
    """`shares` by source, in the order of their names; `missing` samples no source may give."""

    shares: dict[str, Share]
    missing: int
    remarks: tuple[Remark, ...]


def quotas(available: Mapping[str, int], config: MixtureConfig, num_samples: int, sequence_length: int) -> Mixture:
    """How many of `num_samples` samples of `sequence_length` tokens come from each source, which have `available`.

    What a source cannot give within its cap goes to the others in proportion to their weights. Raises ValueError for a
    source that is not among `available`.
    """
    unknown = sorted((set(config.weights or {}) | set(config.tokens)) - set(available))
    if unknown:
        raise ValueError(f"mixture: there are no sources {unknown}; expected some of {sorted(available)}")
    weights, remarks = _weights(available, config)
    limits = most_samples(available, config, sequence_length)
    taken = _filled(weights, limits, num_samples)
    for name, weight in weights.items():
        wanted = float(weight * num_samples)
        if wanted >= limits[name] + 1:  # a part of a sample is no matter
            remarks.append(_held(name, float(weight), wanted, available[name], limits[name], config, sequence_length))
    shares = {
        name: Share(available[name], float(weights.get(name, 0)), taken.get(name, 0)) for name in sorted(available)
    }
    return Mixture(shares, num_samples - sum(taken.values()), tuple(remarks))


def _held(
    name: str, weight: float, wanted: float, available: int, limit: int, config: MixtureConfig, sequence_length: int
) -> Remark:
    """Of a source that gives less than its weight asks for."""
    is_by_epochs = limit == int(Fraction(config.max_epochs) * available)
    bound = f"max_epochs {config.max_epochs:g}" if is_by_epochs else f"tokens.{name}"
    epochs = f" = {wanted / available:.2f} epochs" if available else ""
    message = (
        f"{name} at {weight:.3f} would be {wanted * sequence_length:,.0f} tokens{epochs} of its "
        f"{available * sequence_length:,}, but {bound} allows {limit * sequence_length:,}: the rest is given to the "
        "other sources"
    )
    key = "max_epochs" if is_by_epochs else f"tokens.{name}"
    return Remark(key, wanted * sequence_length, float(limit * sequence_length), message)


def most_samples(available: Mapping[str, int], config: MixtureConfig, sequence_length: int) -> dict[str, int]:
    """How many samples each source may give at most, by name: none where it has no weight."""
    found = {}
    for name in sorted(available):
        is_in = config.weights is None or bool(config.weights.get(name))
        most = int(Fraction(config.max_epochs) * available[name]) if is_in else 0
        found[name] = min(most, config.tokens[name] // sequence_length) if name in config.tokens else most
    return found


def _weights(available: Mapping[str, int], config: MixtureConfig) -> tuple[dict[str, Fraction], list[Remark]]:
    """Exact shares that add up to 1 (all 0 where sizes decide and there is nothing), by source, and the remarks."""
    if config.weights is None:
        assert config.temperature is not None  # by the validator
        given = {name: Fraction(size ** (1 / config.temperature)) for name, size in available.items()}
    else:
        given = {name: Fraction(weight) for name, weight in config.weights.items()}
    total = sum(given.values())
    remarks = []
    if config.weights is not None and abs(float(total) - 1) > SUM_TOLERANCE:
        shown = " + ".join(f"{name} {weight:g}" for name, weight in config.weights.items())
        said = f"{shown} = {float(total):.6g}, not 1; each is divided by that"
        remarks.append(Remark("weights", float(total), 1.0, said))
    left_out = sorted(name for name in available if name not in given)
    if left_out:
        said = f"not named in the weights, and so not trained on: {', '.join(left_out)}"
        remarks.append(Remark("weights", float(len(left_out)), 0.0, said))
    return {name: given[name] / total if total else Fraction(0) for name in sorted(given)}, remarks


def _filled(weights: Mapping[str, Fraction], limits: Mapping[str, int], num_samples: int) -> dict[str, int]:
    """Samples of each source: in proportion to the weights but within the limits, whole by largest remainder."""
    exact: dict[str, Fraction] = {}
    open_ = {name for name, weight in weights.items() if weight}
    while open_:
        scale = Fraction(num_samples - sum(exact.values())) / sum(weights[name] for name in open_)
        full = {name for name in open_ if weights[name] * scale > limits[name]}
        if not full:
            exact |= {name: weights[name] * scale for name in open_}
            break
        exact |= {name: Fraction(limits[name]) for name in full}
        open_ -= full
    taken = {name: int(exact.get(name, 0)) for name in weights}
    by_remainder = sorted(exact, key=lambda name: (taken[name] - exact[name], name))
    missing = int(sum(exact.values())) - sum(taken.values())
    # Whoever has a remainder is below its limit, which is whole; there are more of those than samples missing.
    return taken | {name: taken[name] + 1 for name in by_remainder[:missing]}


@dataclass(frozen=True)
class MixedOrder:
    """The order of a run over several streams: `sizes` samples in each stream, `quotas` taken of each over the run.

    The stretch of every window holds the streams in the proportion of their quotas, to one sample or so (Webster's
    apportionment, which never takes back a sample when the run gets longer, and ends at the quotas exactly); within
    the window they are shuffled. Each stream is read in its own `SampleOrder`, epoch after epoch.
    """

    sizes: tuple[int, ...]
    quotas: tuple[int, ...]
    seed: int
    window: int = 4096  # samples; that of `SampleOrder`

    def __post_init__(self) -> None:
        if len(self.sizes) != len(self.quotas) or min(*self.quotas, self.window - 1) < 0:
            raise ValueError(f"{self}: expected a quota of at least 0 for each stream, and a window of at least 1")
        empty = [place for place, size in enumerate(self.sizes) if size < 1 and self.quotas[place]]
        if empty:
            raise ValueError(f"{self}: the streams {empty} hold no sample and have a quota")

    @property
    def num_samples(self) -> int:
        return sum(self.quotas)

    def indices(self, start: int, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Stream and sample in it, int64[count] each, of samples `start` to `start + count` of the run."""
        end = start + count
        if not 0 <= start <= end <= self.num_samples:
            raise IndexError(f"samples {start} to {end} of a run of {self.num_samples}")
        streams, samples = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for first in range(start - start % self.window, end, self.window):
            last = min(first + self.window, self.num_samples)
            chosen = slice(max(start - first, 0), min(end, last) - first)
            stream, sample = _window(self, first, last)
            streams.append(stream[chosen])
            samples.append(sample[chosen])
        return np.concatenate(streams), np.concatenate(samples)

    def counts(self, num_samples: int) -> list[int]:
        """Samples of each stream among the first `num_samples` of the run; they add up to it.

        Sample i of a stream with quota q of N in all is due at (i + 1/2) N / q; ties go to the earlier stream.
        """
        total = self.num_samples
        found = [(2 * num_samples * quota + total) // (2 * total) if total else 0 for quota in self.quotas]
        while sum(found) < num_samples:
            due = [
                (Fraction(2 * have + 1, quota), place)
                for place, (have, quota) in enumerate(zip(found, self.quotas, strict=True))
                if have < quota
            ]
            found[min(due)[1]] += 1
        while sum(found) > num_samples:
            came = [
                (Fraction(2 * have - 1, quota), place)
                for place, (have, quota) in enumerate(zip(found, self.quotas, strict=True))
                if have
            ]
            found[max(came)[1]] -= 1
        return found


@lru_cache(maxsize=2)
def _window(order: MixedOrder, first: int, last: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Stream and sample of each place of a window, not to be written to. A step takes a few of its places, and the next
    step those behind them."""
    before, after = order.counts(first), order.counts(last)
    taken = [end - begin for begin, end in zip(before, after, strict=True)]
    stream = np.repeat(np.arange(len(taken)), taken)
    samples = [
        SampleOrder(size, order.seed + place).indices(begin, number)
        for place, (size, begin, number) in enumerate(zip(order.sizes, before, taken, strict=True))
        if number
    ]
    places = shuffled(last - first, order.seed, first // order.window)
    return stream[places], np.concatenate(samples)[places]
