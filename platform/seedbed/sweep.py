"""A sweep: how many documents `select` would keep at other thresholds, from the attributes that are stored.

Nothing is read again but the attributes, and nothing is written: the answer takes seconds where `annotate` took hours.
"""

import copy
import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow.compute as pc
from pydantic import ValidationError

from dataprep.filters.registry import FILTERS
from dataprep.select import SelectConfig, select
from seedbed.artifact import Artifact
from seedbed.errors import UsageError
from seedbed.plan import Plan
from seedbed.runfile.load import from_resolved
from seedbed.runfile.run import RunConfig
from seedbed.selection import READ_FROM, config_of, decided_from, read_by
from seedbed.store import Store
from seedbed.survey import some_of

NUM_VALUES = 9
"""Between the two ends of a range without a step, ends included."""
MAX_VALUES = 1000
MAX_SHARDS = 64

Value = float | int | bool | None


@dataclass
class Setting:
    """What would be kept at one value."""

    value: Value
    is_current: bool
    records_kept: int = 0
    bytes_kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)  # reason -> records

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"dropped": dict(self.dropped)}


@dataclass
class Sweep:
    """What was counted, over `num_shards` of `of_shards` input shards; `settings` in the order asked for, after what
    the run file says now."""

    key: str
    num_shards: int
    of_shards: int
    num_documents: int
    settings: list[Setting]

    @property
    def current(self) -> Setting:
        return next(setting for setting in self.settings if setting.is_current)


def parse_values(text: str) -> list[Value]:
    """The values of `20,50,100`, `0.1..0.5` (nine of them), `20..100:10` (every tenth) or `true,false,null`.

    Between whole ends all values are whole. Raises UsageError for anything else.
    """
    values: list[Value] = []
    for part in text.split(","):
        low, dots, rest = part.partition("..")
        values += _range(low, rest) if dots else [_value(part)]
    return list(dict.fromkeys(values))


def sweep(store: Store, plan: Plan, key: str, values: Sequence[Value], max_shards: int = MAX_SHARDS) -> Sweep:
    """What `select` would keep with each of `values` under `key`, a dotted key below `data.select` (which may lead it).

    Raises UsageError before `annotate` has run, and for a key or a value that a filter does not take.
    """
    key = key.removeprefix("data.select.")  # as the run file's documentation writes it
    step = plan.step("select")
    current = _get(step.config["select"], key)
    settings = [Setting(value, False) for value in values if value != current]
    settings.insert(0, Setting(current, True))
    configs = [_with(step.config, key, setting.value) for setting in settings]
    chosen_filters = [_config(plan, config, key) for config in configs]
    artifacts = {kind: Artifact(store, kind, plan.step(kind).fingerprint) for kind in READ_FROM}
    annotated = artifacts["annotate"].manifest()
    if annotated is None:
        raise UsageError(
            "annotate has not run yet, and a sweep reads what it measured: `seedbed run RUN.yaml --until annotate`, "
            "then again"
        )
    shards = some_of(annotated["input_shards"], max_shards)
    lists = {digest: path for path, digest in plan.lists.items()}
    found = Sweep(key, len(shards), len(annotated["input_shards"]), 0, settings)
    for shard in shards:
        table, holds = None, None
        for setting, config, filters in zip(settings, configs, chosen_filters, strict=True):
            if table is None or read_by(config) != holds:
                table, holds = decided_from(artifacts, shard["unit"], config, lists), read_by(config)
            verdicts = select(table, filters)
            kept = pc.is_null(verdicts["reason"])
            setting.records_kept += pc.sum(kept).as_py() or 0
            setting.bytes_kept += pc.sum(verdicts["num_bytes"].filter(kept)).as_py() or 0
            setting.dropped.update(verdicts["reason"].drop_null().to_pylist())
        found.num_documents += 0 if table is None else table.num_rows
    return found


def _range(low: str, rest: str) -> list[Value]:
    high, colon, step = rest.partition(":")
    start, end = _number(low), _number(high)
    if end < start:
        raise UsageError(f"{low}..{rest}: a range goes up")
    whole = isinstance(start, int) and isinstance(end, int)
    if not colon:
        points = [start + (end - start) * n / (NUM_VALUES - 1) for n in range(NUM_VALUES)]
        return [round(point) if whole else float(f"{point:.6g}") for point in points]
    stride = _number(step)
    if stride <= 0 or (end - start) / stride >= MAX_VALUES:
        raise UsageError(f"{low}..{rest}: a step above 0 and fewer than {MAX_VALUES:,} values are expected")
    number = int((end - start) / stride + 1e-9) + 1
    points = [start + stride * n for n in range(number)]
    return [point if whole and isinstance(stride, int) else float(f"{point:.6g}") for point in points]


def _value(text: str) -> Value:
    known: dict[str, Value] = {"true": True, "false": False, "null": None}
    return known[text] if text in known else _number(text)


def _number(text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise UsageError(f"{text!r} is no number; values are written like 20,50,100 or 20..100 or 20..100:10 or true,false")


def _get(select_config: dict[str, Any], key: str) -> Value:
    name, _, option = key.partition(".")
    if "domain_cap" in key.split("."):
        raise UsageError(
            f"{key}: a sweep counts what `select` keeps, and caps are held after it, once `deduplicate` knows which "
            f"copies go; `seedbed run RUN.yaml --set data.domain_cap.max_documents=N --until deduplicate` counts one "
            f"value (what was made up to `select` is taken as it is), and `seedbed show` says what went over the cap"
        )
    if name not in FILTERS:
        raise UsageError(f"{key}: no filter is called {name!r}{_meant(name, FILTERS)}")
    fields = FILTERS[name].model_fields
    if option not in fields:
        raise UsageError(f"{key}: {name} has no key {option!r}{_meant(option, fields)}")
    chosen = select_config.get(name)
    value: Value = None if chosen is None else chosen[option]
    return value


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _with(settings: dict[str, Any], key: str, value: Value) -> dict[str, Any]:
    """The configuration of `select` with another value under `key`; a filter that was off is on then."""
    name, _, option = key.partition(".")
    changed = copy.deepcopy(settings)
    if changed["select"].get(name) is None:
        if value is None:
            return changed  # what the run file says now: the filter is off
        changed["select"][name] = {}  # its other keys have their defaults
    changed["select"][name][option] = value
    return changed


def _config(plan: Plan, settings: dict[str, Any], key: str) -> SelectConfig:
    """The filters. Raises UsageError where the run file would be refused with them: a filter may want a measure that
    is off."""
    run = copy.deepcopy(plan.config)
    run["data"]["select"] = settings["select"]
    try:
        from_resolved(run)
        return config_of(settings)
    except ValidationError as error:
        problem = error.errors()[0]
        found = "" if isinstance(problem["input"], dict | RunConfig) else f" (found {problem['input']!r})"
        raise UsageError(f"data.select.{key}: {problem['msg']}{found}") from None
