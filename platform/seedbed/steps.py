"""The kinds of steps: what each depends on, and the fingerprint that follows.

    extract -> clean -> annotate -> select -> deduplicate [-> decontaminate] [-> repeats]
    repeats (or what is before it) -> corpus -> tokenizer -> shards
    corpus -> ledger                             shards -> pretrain -> evaluate, export

A step in brackets is left out of runs that do not ask for it, and those after it are then what they would be without.
A step's fingerprint covers its kind and version, its part of the run file, its parents' fingerprints, and the versions
of what decides its bytes. What a run is called, runs on and may cost is in none.
"""

import unicodedata
from collections.abc import Callable, Container
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from typing import Any

from pydantic import BaseModel

from dataprep import plugins
from dataprep.extraction.engines.registry import ENGINES
from dataprep.kernels.words import WORD_HASHES
from dataprep.language import model_digest
from seedbed.errors import UsageError
from seedbed.fingerprint import fingerprint, package_versions
from seedbed.list_files import with_digests
from seedbed.runfile.run import RunConfig
from seedbed.sources import SourceListing

Config = dict[str, Any]

LAYOUT = {
    "zero_stage",
    "pipeline_stages",
    "optimizer_offload",
    "micro_batch_sequences",
    "activation_checkpointing",
}
"""What of `training` lays the same arithmetic out over ranks: a run goes on in another one, equal but for rounding and
for the random numbers of dropout."""

BY_SOURCE = "by_source"
"""What the step `shards` is told where each source has token shards of its own."""

OPERATIONAL = {"checkpoint_every_steps", "keep_checkpoints", "max_restarts", "hang_timeout_s"} | LAYOUT
"""What of `training` says how a run gets through, not what it learns: changing it must not cost the steps taken."""


@dataclass(frozen=True)
class StepKind:
    """One arrow of the data's way."""

    kind: str
    version: int  # rises with every change of what the step makes of the same input
    parents: tuple[str, ...]
    config: Callable[[RunConfig, SourceListing], Config]  # what the step's functions get, as JSON
    packages: tuple[str, ...] = ()  # whose versions decide the step's bytes
    # what else decides them: name -> version, or digest of a model file
    others: Callable[[RunConfig], dict[str, str]] = lambda run: {}
    is_in: Callable[[RunConfig], bool] = lambda run: True  # whether a run has it at all


@dataclass(frozen=True)
class FingerprintedStep:
    """A step of one run."""

    kind: str
    version: int
    fingerprint: str
    parents: dict[str, str]  # kind -> fingerprint
    config: Config
    software: dict[str, str]


def _json(config: BaseModel) -> Config:
    return config.model_dump(mode="json")


def _extract(run: RunConfig, listing: SourceListing) -> Config:
    return {
        "limits": _json(run.data.extract),
        "readers": {name: _json(source.reader) for name, source in sorted(run.data.sources.items())},
        "files": [
            {"source": file.source, "path": file.path, "size": file.num_bytes, "version": file.version}
            for file in listing.files
        ],
    }


def _with_lists(run: RunConfig, listing: SourceListing) -> Config:
    """`data` with the digests of its list files in the place of their paths."""
    return with_digests(_json(run.data), listing.lists)


def _clean_software(run: RunConfig) -> dict[str, str]:
    """Normal forms are those of the interpreter's Unicode tables, which come with its minor version."""
    normal_forms = {} if run.data.clean.normalization == "none" else {"unicodedata": unicodedata.unidata_version}
    return normal_forms | (package_versions(("ftfy",)) if run.data.clean.mojibake else {})


def _annotate_software(run: RunConfig) -> dict[str, str]:
    own = {"lid.176.ftz": model_digest(), "word hashes": str(WORD_HASHES)}
    return own | plugins.software(plugins.MEASURES_GROUP, run.data.annotate.others)


def _deduplicate_software(run: RunConfig) -> dict[str, str]:
    """What reads hosts: in ASCII, and, with the Public Suffix List in its package, their registered domains."""
    names = {"idna"} if run.data.deduplicate.same_url else set()
    names |= {"tldextract", "idna"} if run.data.domain_cap is not None else set()
    return package_versions(tuple(sorted(names)))


def _select(run: RunConfig, listing: SourceListing) -> Config:
    data = _with_lists(run, listing)
    return {"select": data["select"], "removals": data["removals"]["path"]}


def _source_priority(run: RunConfig) -> dict[str, int]:
    return {name: source.priority for name, source in sorted(run.data.sources.items()) if source.priority}


def _deduplicate(run: RunConfig, listing: SourceListing) -> Config:
    cap = run.data.domain_cap
    earlier = [corpus.to_json() for corpus in listing.earlier]
    own = run.data.deduplicate.model_dump(mode="json", exclude={"against"})  # stores move: `earlier` says what is there
    return (
        {
            "deduplicate": own | {"source_priority": _source_priority(run)},
            "split": _json(run.data.split),  # a held-out member of a cluster wins
        }
        | ({} if cap is None else {"domain_cap": _json(cap)})
        | ({"earlier": earlier} if earlier else {})
    )


def _decontaminate(run: RunConfig, listing: SourceListing) -> Config:
    return dict(_with_lists(run, listing)["decontaminate"])


def _repeats(run: RunConfig, listing: SourceListing) -> Config:
    assert run.data.repeats is not None, "a run without it has no such step"
    # Which passage stays is decided as of copies.
    return {
        "repeats": _json(run.data.repeats),
        "split": _json(run.data.split),
        "source_priority": _source_priority(run),
    }


def _corpus(run: RunConfig, listing: SourceListing) -> Config:
    personal_data = _json(run.data.annotate.personal_data)  # what is masked is what was counted
    return {"corpus": _json(run.data.corpus), "split": _json(run.data.split), "personal_data": personal_data}


def _shards(run: RunConfig, listing: SourceListing) -> Config:
    """Of a mixture the token shards keep the sources apart, whatever their weights are."""
    return _json(run.data.shards) | ({} if run.data.mixture is None else {BY_SOURCE: True})


def _pretrain(run: RunConfig, listing: SourceListing) -> Config:
    config = {"model": _json(run.model), "training": run.training.model_dump(mode="json", exclude=OPERATIONAL)}
    return config | ({} if run.data.mixture is None else {"mixture": _json(run.data.mixture)})


def _export(run: RunConfig, listing: SourceListing) -> Config:
    licences = {name: source.licence for name, source in sorted(run.data.sources.items())}
    return {"name": run.name, "licences": licences}  # for the model card and the datasheet


def _evaluate(run: RunConfig, listing: SourceListing) -> Config:
    return _json(run.evaluation)


def _nothing(run: RunConfig, listing: SourceListing) -> Config:
    return {}


STEPS: tuple[StepKind, ...] = (
    StepKind(
        "extract",
        3,
        (),
        _extract,
        ("isal", "resiliparse", "zstandard"),  # resiliparse finds charsets, whatever engine finds the text
        lambda run: ENGINES[run.data.extract.engine].software(),
    ),
    StepKind(
        "clean",
        3,
        ("extract",),
        lambda run, _: _json(run.data.clean),
        others=_clean_software,
    ),
    StepKind(
        "annotate",
        3,
        ("extract", "clean"),
        lambda run, listing: dict(_with_lists(run, listing)["annotate"]),
        ("phonenumberslite",),
        _annotate_software,
    ),
    StepKind(
        "select",
        2,
        ("extract", "clean", "annotate"),
        _select,
        ("idna",),  # hosts of removal lists in ASCII
        lambda run: plugins.software(plugins.FILTERS_GROUP, run.data.select.others),
    ),
    StepKind(
        "deduplicate",
        3,
        ("extract", "clean", "annotate", "select"),
        _deduplicate,
        others=_deduplicate_software,
    ),
    StepKind(
        "decontaminate",
        2,
        ("extract", "clean", "annotate", "deduplicate"),
        _decontaminate,
        is_in=lambda run: run.data.decontaminate is not None,
    ),
    StepKind(
        "repeats",
        1,
        ("extract", "clean", "annotate", "deduplicate", "decontaminate"),
        _repeats,
        is_in=lambda run: run.data.repeats is not None,
    ),
    StepKind(
        "corpus",
        2,
        ("extract", "clean", "annotate", "deduplicate", "decontaminate", "repeats"),
        _corpus,
        ("pyarrow", "phonenumberslite"),  # the former's regular expressions bring their own classes of characters
    ),
    StepKind("tokenizer", 1, ("corpus",), lambda run, _: _json(run.data.tokenizer), ("tokenizers",)),
    StepKind("shards", 1, ("corpus", "tokenizer"), _shards, ("tokenizers",)),
    StepKind("ledger", 1, ("extract", "select", "deduplicate", "decontaminate", "repeats", "corpus"), _nothing),
    StepKind("pretrain", 2, ("shards",), _pretrain, ("torch", "deepspeed")),
    StepKind(
        "evaluate",
        2,
        ("corpus", "tokenizer", "shards", "pretrain"),
        _evaluate,
        ("torch", "tldextract", "idna"),  # the latter find registered domains
    ),
    StepKind("export", 2, ("pretrain", "tokenizer", "evaluate", "ledger"), _export, ("safetensors",)),
)
"""Every step, each after its parents."""


def last_verdicts(kinds: Container[str]) -> str:
    """Of the steps that a run has, the one with the last word on which documents it keeps."""
    return next(kind for kind in ("repeats", "decontaminate", "deduplicate") if kind in kinds)


def fingerprint_steps(run: RunConfig, listing: SourceListing) -> list[FingerprintedStep]:
    """The run's steps in order.

    Raises UsageError when a package that decides a step's bytes is missing, EngineMissingError when the engine that
    extracts text is.
    """
    names: dict[str, str] = {}
    steps = []
    for step in STEPS:
        if not step.is_in(run):
            continue
        parents = {parent: names[parent] for parent in step.parents if parent in names}
        config, software = step.config(run, listing), _software(step, run)
        names[step.kind] = fingerprint(step.kind, step.version, config, parents, software)
        steps.append(FingerprintedStep(step.kind, step.version, names[step.kind], parents, config, software))
    return steps


def _software(step: StepKind, run: RunConfig) -> dict[str, str]:
    try:
        return package_versions(step.packages) | step.others(run)
    except (PackageNotFoundError, ModuleNotFoundError) as error:
        raise UsageError(f"{step.kind} needs a package that is not here ({error}): see `seedbed doctor`") from error
