"""Many runs of one run file, one after another: `--each crawl=a.warc.gz,b.warc.gz`.

    --each KEY=VALUES --expand--> Member (a name and overrides) each --(plan, or batch_run.py)--> rows of one report

KEY is a source's name, which stands for its path, or any dotted key. VALUES are parted by commas; `@FILE` names a file
of one value a line; of a path, a glob stands for what matches it. Each run bears the run file's name and a suffix that
its value gives.
"""

import json
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import blake3

from dataprep.reading.formats import format_of
from seedbed import runs
from seedbed.errors import UsageError
from seedbed.runfile.load import load_run
from seedbed.sources import file_system
from seedbed.summary import FUNNEL_STEPS

MAX_NAME = 40  # characters, of RunConfig.name
_DIGEST_DIGITS = 4  # hex, behind a suffix that was cut or would stand twice
_TOP_REASONS = 3
_GLOB = "*?["


@dataclass(frozen=True)
class Member:
    """One run of a batch: what `seedbed run RUN.yaml` with these overrides is."""

    value: str
    name: str
    overrides: tuple[str, ...]


def expand(run_file: str, overrides: Sequence[str], each: str) -> list[Member]:
    """The runs that `each` asks for. Raises UsageError for what is no `KEY=VALUES`, RunFileError for a wrong run file.

    A value that does not fit the run file is told by the run that has it, when it is planned.
    """
    key, equals, listed = each.partition("=")
    key = key.strip()
    if not equals or not key:
        raise UsageError(f"--each {each}: expected KEY=VALUES: --each crawl=a.warc.gz,b.warc.gz, or --each crawl=@FILE")
    run = load_run(run_file, overrides)
    if "." not in key:
        if key not in run.data.sources:
            known = ", ".join(sorted(run.data.sources))
            raise UsageError(f"--each {each}: {key} is no source of {run_file}: its sources are {known}")
        key = f"data.sources.{key}.path"
    is_path = key.startswith("data.sources.") and key.endswith(".path")
    values = _values(listed, is_path, each)
    return [
        Member(value, given, (*overrides, _override(key, value, is_path), f"name={given}"))
        for value, given in zip(values, names(run.name, values, is_path), strict=True)
    ]


def _values(listed: str, is_path: bool, each: str) -> list[str]:
    if listed.startswith("@"):
        try:
            lines = Path(listed[1:]).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--each {each}: cannot read {listed[1:]}: {error}") from error
        values = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    else:
        values = [part.strip() for part in listed.split(",") if part.strip()]
    if is_path:
        values = [found for value in values for found in _matching(value)]
    if not values:
        raise UsageError(f"--each {each}: there is no value; give one at least: KEY=a,b or KEY=@FILE")
    twice = sorted(value for value, count in Counter(values).items() if count > 1)
    if twice:
        raise UsageError(f"--each {each}: {twice[0]} stands there twice")
    return values


def _matching(path: str) -> list[str]:
    """The files and folders that a glob stands for; the path itself where it is none."""
    if not any(character in path for character in _GLOB):
        return [path]
    is_url = "://" in path or "::" in path
    fs, inner = file_system(path if is_url else str(Path(path).expanduser().absolute()))
    if fs.exists(inner):
        return [path]
    try:
        matched = sorted(fs.glob(inner))
    except Exception as error:  # every kind of store has errors of its own: botocore's are no OSError
        raise UsageError(f"--each: cannot look for {path}: {error}") from error
    if not matched:
        raise UsageError(f"--each: nothing matches {path}; check the pattern and the folder it starts at")
    return [fs.unstrip_protocol(found) if is_url else found for found in matched]


def _override(key: str, value: str, is_path: bool) -> str:
    return f"{key}={json.dumps(value) if is_path else value}"


def names(name: str, values: Sequence[str], is_path: bool) -> list[str]:
    """A run's name for each value, each another: `name-suffix` of letters, digits and hyphens, within 40 characters."""
    slugs = [_slug(_stem(value) if is_path else value) for value in values]
    if is_path and len(set(slugs)) < len(slugs):
        slugs = [_slug(value) for value in values]  # files of one name in several folders
    given, num_of = [], Counter(slugs)
    for value, slug in zip(values, slugs, strict=True):
        whole = f"{name}-{slug}"
        if len(whole) > MAX_NAME or num_of[slug] > 1 or not slug:
            digest = blake3.blake3(value.encode()).hexdigest()[:_DIGEST_DIGITS]
            room = MAX_NAME - _DIGEST_DIGITS - 1
            whole = f"{whole[:room].rstrip('-')}-{digest}"
        given.append(whole)
    if len(set(given)) < len(given):
        twice = Counter(given).most_common(1)[0][0]
        raise UsageError(f"--each: two values give the name {twice}: give the run a shorter name")
    return given


def _stem(path: str) -> str:
    """The last part of a path, without what tells format and compression."""
    last = posixpath.basename(path.rstrip("/"))
    while format_of(last) is not None and "." in last:
        last = last.rpartition(".")[0]
    return last


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


@dataclass(frozen=True)
class Row:
    """What became of one run of a batch."""

    value: str
    name: str
    run: str | None  # None: it could not be planned
    state: str  # of the run; `failed` with its error where it never began, `not started` behind an end of the batch
    error: str | None
    seconds: float  # of wall time, planning included
    records_in: int | None = None
    kept: int | None = None  # after the last step that takes records away and is done
    top_reasons: tuple[tuple[str, int], ...] = ()
    tokens: int | None = None  # to train on; None before `shards`

    @property
    def is_failure(self) -> bool:
        return self.state not in (runs.FINISHED, runs.STOPPED)

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"top_reasons": dict(self.top_reasons), "seconds": round(self.seconds, 1)}


def row_of(member: Member, summary: dict[str, Any], seconds: float) -> Row:
    """The row of a run that was begun, from what `show` says of it."""
    steps = {step["kind"]: step for step in summary["steps"] if step["state"] == "done"}
    funnel = [steps[kind] for kind in FUNNEL_STEPS if kind in steps]
    dropped: dict[str, int] = {}
    for step in funnel:
        for reason, number in step["dropped"].items():
            dropped[reason] = dropped.get(reason, 0) + number
    shards = steps.get("shards")
    return Row(
        member.value,
        member.name,
        summary["run"],
        summary["state"],
        summary["error"],
        seconds,
        funnel[0]["records_in"] if funnel else None,
        funnel[-1]["records_out"] if funnel else None,
        tuple(sorted(dropped.items(), key=lambda item: (-item[1], item[0]))[:_TOP_REASONS]),
        shards["counts"]["train_tokens"] if shards else None,
    )


def totals(rows: Sequence[Row]) -> dict[str, Any]:
    """The sums of a batch; of tokens, over the runs that have counted them."""
    return {
        "runs": len(rows),
        "failed": sum(row.is_failure for row in rows),
        "records_in": sum(row.records_in or 0 for row in rows),
        "kept": sum(row.kept or 0 for row in rows),
        "tokens": sum(row.tokens or 0 for row in rows),
        "seconds": round(sum(row.seconds for row in rows), 1),
    }
