"""Scaling laws: what loss a model of N parameters gets from D tokens, by the published fits in laws.toml.

Symbols as in the papers: N parameters, D training tokens, U unique tokens, C = 6 N D FLOPs.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("laws.toml")
REPEATS_LAW = "muennighoff"  # the one that knows what a repeated token is worth
FLOPS_PER_PF_DAY = 1e15 * 86_400  # Kaplan et al. 2020, 1.3
FLOPS_PER_PARAMETER_AND_TOKEN = 6  # the C = 6 N D of Hoffmann et al. 2022, 3.3


@dataclass(frozen=True)
class Prediction:
    """The loss by one law, in nats per token of the law's own tokenizer; None with the reason."""

    law: str
    value: float | None
    reason: str | None = None  # why there is no value
    assumes: str | None = None  # what must be true for the value to hold

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Prediction":
        return cls(**value)


@dataclass(frozen=True)
class Law:
    """A fit, and for what it was made."""

    name: str
    form: str
    source: str
    constants: dict[str, float]
    min_parameters: float
    max_parameters: float
    min_tokens: float
    max_tokens: float
    tokenizer: str
    max_repeats: float = 1.0
    of: str = "parameters and tokens"  # what limits the loss: of a power law one thing, and there is enough of the rest

    @property
    def counts_embeddings(self) -> bool:
        return self.form not in ("kaplan", "power")

    def loss(self, parameters: float, tokens: float, unique_tokens: float | None = None) -> float:
        """What the formula gives, also outside of its range. Only the form `repeats` minds `unique_tokens`."""
        if self.form == "power":
            return _power(self.constants, self.of, parameters, tokens)
        return _FORMS[self.form](self.constants, parameters, tokens, min(unique_tokens or tokens, tokens))

    def outside(self, parameters: float, tokens: float, unique_tokens: float | None = None) -> str | None:
        """Why the law says nothing there; None inside of its range."""
        repeats = tokens / min(unique_tokens or tokens, tokens)
        what = "parameters" if self.counts_embeddings else "parameters without embeddings"
        for value, low, high, unit in (
            (parameters, self.min_parameters, self.max_parameters, what),
            (tokens, self.min_tokens, self.max_tokens, "tokens"),
        ):
            if not low <= value <= high:
                fitted = f"{low:,.0f} to {high:,.0f} that {self.name}'s law was fitted on"
                return f"{value:,.0f} {unit} are outside of the {fitted}"
        if repeats > self.max_repeats:
            return f"{repeats:.4g} repeats are more than the {self.max_repeats:g} that {self.name}'s law was fitted on"
        return None


@cache
def laws() -> dict[str, Law]:
    """Every law by name."""
    with TABLE.open("rb") as file:
        return {name: Law(name=name, **row) for name, row in tomllib.load(file).items()}


def predict(
    name: str, parameters: int, parameters_without_embeddings: int, tokens: int, unique_tokens: int | None
) -> Prediction:
    """The loss by the law called `name`; where tokens repeat, by the one law that knows repeats, as fits don't mix.

    With `unique_tokens` None every token is taken for unique.
    """
    if unique_tokens == 0:
        return Prediction(name, None, "there are no tokens to train on")
    repeats = unique_tokens is not None and unique_tokens < tokens
    law = laws()[REPEATS_LAW if repeats else name]
    counted = parameters if law.counts_embeddings else parameters_without_embeddings
    reason = law.outside(counted, tokens, unique_tokens)
    if reason is not None:
        return Prediction(law.name, None, reason)
    loss = law.loss(counted, tokens, unique_tokens)
    return Prediction(law.name, loss, assumes=f"text and tokenizer like {law.tokenizer}")


def optimum(name: str, flops: float) -> tuple[float, float]:
    """Parameters and tokens of the lowest loss for this many FLOPs: Hoffmann et al. 2022, equation 4.

    N = G (C / 6)^(b / (a + b)), D = (C / 6) / N, G = (a A / (b B))^(1 / (a + b)). Raises ValueError for a law of
    another form.
    """
    law = laws()[name]
    if law.form in ("kaplan", "power"):
        raise ValueError(f"{name}'s law has no optimum in closed form")
    a, b, ratio = _exponents_and_ratio(law.constants)
    compute = flops / FLOPS_PER_PARAMETER_AND_TOKEN
    parameters = ratio ** (1 / (a + b)) * compute ** (b / (a + b))
    return parameters, compute / parameters


@dataclass(frozen=True)
class Optimum:
    """The model that a number of FLOPs trains best, by one law; None where that is outside of the law's range."""

    law: str
    flops: float  # C = 6 N D
    parameters: float | None
    tokens: float | None
    predicted_loss: Prediction

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Optimum":
        return cls(**(value | {"predicted_loss": Prediction.from_json(value["predicted_loss"])}))


def optima(flops: float) -> list[Optimum]:
    """By every law that has an optimum, each with its prediction there."""
    found = []
    for law in laws().values():
        if law.form in ("sum", "repeats"):
            parameters, tokens = optimum(law.name, flops)
            predicted = predict(law.name, round(parameters), round(parameters), round(tokens), None)
            known = predicted.value is not None
            best = Optimum(law.name, flops, parameters if known else None, tokens if known else None, predicted)
            found.append(best)
    return found


def worth_in_unique(unique: float, total: float, decay: float) -> float:
    """How many unique ones `total` are worth, of which the first `unique` are: U + U R* (1 - exp(-R / R*)).

    R = total / unique - 1, R* = `decay`: Muennighoff et al. 2023, equations 5 (tokens) and 6 (parameters).
    """
    return unique + unique * decay * (1 - math.exp(-(total / unique - 1) / decay))


def _exponents_and_ratio(constants: dict[str, float]) -> tuple[float, float, float]:
    """a, b and a A / (b B)."""
    a, b = constants["alpha"], constants["beta"]
    of_size = constants["A"] / constants["B"] if "A" in constants else math.exp(constants["ln_A"] - constants["ln_B"])
    return a, b, a / b * of_size


def _sum(constants: dict[str, float], parameters: float, tokens: float, unique_tokens: float) -> float:
    size = constants["A"] / parameters ** constants["alpha"]
    return constants["E"] + size + constants["B"] / tokens ** constants["beta"]


def _repeats(constants: dict[str, float], parameters: float, tokens: float, unique_tokens: float) -> float:
    a, b, ratio = _exponents_and_ratio(constants)
    # The optimal size for U unique tokens: from D = (C / 6)^(a / (a + b)) / G, put into the formula for N.
    scale = ratio ** (1 / (a + b))
    enough = min(parameters, scale * (scale * unique_tokens) ** (b / a))
    effective_parameters = worth_in_unique(enough, parameters, constants["r_n"])
    effective_tokens = worth_in_unique(unique_tokens, tokens, constants["r_d"])
    plain = {"E": math.exp(constants["ln_E"]), "A": math.exp(constants["ln_A"]), "B": math.exp(constants["ln_B"])}
    return _sum(constants | plain, effective_parameters, effective_tokens, effective_tokens)


def _kaplan(constants: dict[str, float], parameters: float, tokens: float, unique_tokens: float) -> float:
    alpha_n, alpha_d = constants["alpha_n"], constants["alpha_d"]
    size = (constants["n_c"] / parameters) ** (alpha_n / alpha_d)
    return (size + constants["d_c"] / tokens) ** alpha_d


def _power(constants: dict[str, float], of: str, parameters: float, tokens: float) -> float:
    compute = FLOPS_PER_PARAMETER_AND_TOKEN * parameters * tokens / FLOPS_PER_PF_DAY
    limiting = {"parameters": parameters, "tokens": tokens, "compute": compute}[of]
    return (constants["critical"] / limiting) ** constants["alpha"]


_FORMS = {"sum": _sum, "repeats": _repeats, "kaplan": _kaplan}
