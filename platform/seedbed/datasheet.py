"""The datasheet of a corpus and the card of a model: what both are made of, read from what the steps wrote.

After Gebru et al. 2021, Datasheets for Datasets, and Mitchell et al. 2019, Model Cards, as far as a machine knows.
Nothing in them depends on where or when they were made: the same run gives the same text.
"""

import re
from dataclasses import asdict
from typing import Any

from dataprep.personal_data import KINDS, PLURALS
from dataprep.repeats.config import KINDS as KINDS_OF_REPEATS
from seedbed.artifact import Artifact
from seedbed.balance import Balance, balance, concentration, largest, most_kept
from seedbed.errors import UsageError
from seedbed.model_tables import mixture_table, scores_by_group
from seedbed.plan import Plan
from seedbed.planted import COPIES, PASSAGES, plant_lines
from seedbed.steps import OPERATIONAL
from seedbed.store import Store
from seedbed.summary import FUNNEL_STEPS, damage_line

_KIND_NAMES = ("e-mail addresses", "IP addresses", "telephone numbers", "bank accounts (IBAN)", "card numbers")
_DONE = {"mask": "masked", "cut": "cut out", "keep": "kept"}
MAX_GROUPS = 20
"""Languages, sources, domains and years in a table: those with the most documents."""

_SECRETS = re.compile(r"(?<=//)[^/\s]*@|\?.*")
"""Who reads a crawl, with which password or signature, is nobody's business."""

LARGE_SHARE = 0.2
"""Of the kept text: a domain that holds more is named."""

_SHOWN = ("clean", "annotate", "select", "deduplicate", "decontaminate", "repeats", "corpus", "tokenizer", "shards")


def datasheet(store: Store, plan: Plan) -> dict[str, Any]:
    """Everything that both documents say, as one JSON value.

    What is not done yet is null: `tokens` before `shards`, `evaluation` before `evaluate`, `balance` before `ledger`.
    Raises UsageError before there is a corpus.
    """
    manifests = {
        step.kind: manifest
        for step in plan.steps
        if (manifest := Artifact(store, step.kind, step.fingerprint).manifest()) is not None
    }
    if "corpus" not in manifests:
        raise UsageError(f"there is no corpus yet: `seedbed show {plan.run_id}` says where the run is")
    counted = balance(store, plan) if "ledger" in manifests else None
    funnel = [
        {
            "step": kind,
            "records_in": manifests[kind]["records_in"],
            "records_out": manifests[kind]["records_out"],
            "dropped": manifests[kind]["dropped"],
        }
        for kind in FUNNEL_STEPS
        if kind in manifests
    ]
    corpus = manifests["corpus"]
    shards, evaluated, trained = (manifests.get(kind) for kind in ("shards", "evaluate", "pretrain"))
    return {
        "name": plan.run.name,
        "sources": {name: _source(plan, name, counted) for name in sorted(plan.run.data.sources)},
        "funnel": funnel,
        "text_bytes": corpus["bytes_out"],
        "corpus": corpus["counts"],
        "languages": corpus["languages"],
        "benchmarks": manifests["decontaminate"]["benchmarks"] if "decontaminate" in manifests else None,
        "tokens": shards["counts"] if shards else None,
        "balance": _balance(counted) if counted is not None else None,
        "settings": {kind: manifests[kind]["config"] for kind in _SHOWN if kind in manifests},
        "fingerprints": {step.kind: step.fingerprint for step in plan.steps if step.kind != "export"},
        "digests": {kind: manifest["digest"] for kind, manifest in manifests.items() if kind != "export"},
        "model": plan.config["model"],
        "training": {k: v for k, v in plan.config["training"].items() if k not in OPERATIONAL},
        "parameters": plan.parameters,
        "flops": plan.flops,
        "evaluation": evaluated["evaluation"] if evaluated else None,
        **({"mixture": trained["mixture"]} if trained and "mixture" in trained else {}),
        "earlier": [one["run"] for one in manifests.get("deduplicate", {}).get("earlier", ())],
        **({"damaged": damage_line(extract)} if (extract := manifests.get("extract", {})).get("damaged") else {}),
        **_planted(manifests),
        **({"repeats": _repeats_of(manifests["repeats"])} if "repeats" in manifests else {}),
    }


def _source(plan: Plan, name: str, counted: Balance | None) -> dict[str, Any]:
    """Where a source comes from. Of a local one no folder is named: it may lie elsewhere tomorrow."""
    files = [file for file in plan.sources if file.source == name]
    paths = sorted(_SECRETS.sub("", file.path) for file in files)
    roots = {_SECRETS.sub("", file.root) for file in files if "://" in file.root}
    return {
        "licence": plan.run.data.sources[name].licence,
        "files": len(files),
        "bytes": sum(file.num_bytes for file in files),
        "root": min(roots, default=None),  # the URL that the files lie below; null: files of a machine
        "first_file": paths[0],
        "last_file": paths[-1],
        "dates": None if counted is None else counted.dates.get(name),  # first and last day
    }


def _source_row(name: str, source: dict[str, Any]) -> str:
    """A source, for people."""
    ends = dict.fromkeys((source["first_file"], source["last_file"]))
    which = f"{' to '.join(f'`{path}`' for path in ends)} in {source['root'] or 'local files'}"
    days = " to ".join(dict.fromkeys(source["dates"] or ["not known"]))
    licence = source["licence"] or "not stated"
    return f"| {name} | {source['files']:,} | {source['bytes']:,} | {which} | {days} | {licence} |"


def _planted(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What was measured on plants, where anything was planted."""
    keys = {"deduplicate": COPIES, "decontaminate": PASSAGES}
    return {key: manifests[kind][key] for kind, key in keys.items() if key in manifests.get(kind, {})}


def _repeats_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """What `repeats` took out of the documents that it kept."""
    by_reason = {reason: manifest["counts"][f"{reason}_bytes_cut"] for reason in KINDS_OF_REPEATS}
    return {"bytes_in": manifest["bytes_in"], "documents": manifest["counts"]["documents_cut"], "bytes_cut": by_reason}


def _balance(found: Balance) -> dict[str, Any]:
    """The groups of each kind with the most documents, as rows, and the flags."""
    tables = {
        grouping: [{"name": name, **asdict(group)} for name, group in largest(groups, MAX_GROUPS)]
        for grouping, groups in found.groups.items()
    }
    return {
        "input_shards": found.num_shards,
        "of_input_shards": found.of_shards,
        "groups": tables,
        "num_groups": {grouping: len(groups) for grouping, groups in found.groups.items()},
        "largest_domain": most_kept(found.groups["domain"]),
        "largest_domain_share": concentration(found.groups["domain"]),
        "flags": [asdict(flag) for flag in found.flags],
    }


def _funnel(facts: dict[str, Any]) -> list[str]:
    lines = ["| step | in | out | dropped |", "|---|---|---|---|"]
    for step in facts["funnel"]:
        reasons = ", ".join(
            f"{reason} {n:,}" for reason, n in sorted(step["dropped"].items(), key=lambda i: (-i[1], i[0]))
        )
        lines.append(f"| {step['step']} | {step['records_in']:,} | {step['records_out']:,} | {reasons or '-'} |")
    return lines


def _personal_data(facts: dict[str, Any]) -> str:
    """What was found of each kind in the documents kept, and what became of it."""
    actions = facts["settings"]["corpus"]["corpus"]["personal_data"]
    said = []
    for kind, plural, name in zip(KINDS, PLURALS, _KIND_NAMES, strict=True):
        number = f"{facts['corpus'][f'{plural}_masked']:,} "
        said.append(f"{number if actions[kind] != 'keep' else ''}{name} {_DONE[actions[kind]]}")
    return f"Personal data, by its form: {', '.join(said)}."


def datasheet_markdown(facts: dict[str, Any]) -> str:
    """The datasheet for people."""
    lines = [
        f"# Datasheet: the corpus of {facts['name']}",
        "",
        "## Where it comes from",
        "",
        "| source | files | bytes | which | dates | licence |",
        "|---|---|---|---|---|---|",
        *(_source_row(name, source) for name, source in facts["sources"].items()),
        "",
        "## What became of every record",
        "",
        *_funnel(facts),
        "",
        "## What is in it",
        "",
        _amounts(facts),
        "",
        _personal_data(facts),
        "",
        *_benchmarks(facts),
        *_repeats(facts),
        *_proofs(facts),
        *_what_is_in_it(facts),
        "## Known limits",
        "",
        *(f"- {limit}" for limit in known_limits(facts)),
        "",
        "## Settings",
        "",
    ]
    for kind, config in facts["settings"].items():
        lines.append(f"- {kind} (`{facts['fingerprints'][kind]}`): `{config}`")
    return "\n".join(lines) + "\n"


def known_limits(facts: dict[str, Any]) -> list[str]:
    """What a reader must not take for granted."""
    limits = [
        "Language, quality and duplicates are decided by rules; the settings say which.",
        "Names, postal addresses and other personal data without a form of its own are not looked for.",
        _benchmark_limit(facts),
    ]
    if facts.get("earlier"):
        limits.append(f"What the corpora of {', '.join(facts['earlier'])} have already is not in it.")
    if facts.get("damaged"):
        limits.append(f"{facts['damaged']}.")
    counted = facts["balance"]
    if counted is None:
        return [*limits, "What the documents are by language, domain and year was not counted."]
    if counted["input_shards"] < counted["of_input_shards"]:
        part = f"{counted['input_shards']:,} of {counted['of_input_shards']:,} input shards"
        limits.append(f"Languages, sources, domains, years and dates are of {part}.")
    limits += [_in_words(flag) for flag in counted["flags"]]
    share = counted["largest_domain_share"]
    if share is not None and share > LARGE_SHARE:
        limits.append(f"One domain, {counted['largest_domain']}, holds {share:.0%} of the text.")
    return limits


def _benchmarks(facts: dict[str, Any]) -> list[str]:
    """What of each evaluation set was found in the documents, and what became of these."""
    if facts["benchmarks"] is None:
        return []
    action = facts["settings"]["decontaminate"]["action"]
    done = "dropped" if action == "drop" else "cut out of the documents that hold them"
    lines = [f"Evaluation items that were found in the documents were {done}:", ""]
    lines += ["| evaluation set | items | not checked | found | in documents |", "|---|---|---|---|---|"]
    keys = ("items", "items_not_checkable", "items_found", "documents")
    for name, found in facts["benchmarks"].items():
        lines.append(f"| {name} | {' | '.join(f'{found[key]:,}' for key in keys)} |")
    return [*lines, ""]


def _repeats(facts: dict[str, Any]) -> list[str]:
    """How much was cut because it stands elsewhere, too."""
    if "repeats" not in facts:  # the run looks for none
        return []
    found = facts["repeats"]
    said = ", ".join(f"{n:,} bytes as {reason}" for reason, n in found["bytes_cut"].items() if n)
    where = f"Of {found['bytes_in']:,} bytes, {found['documents']:,} documents lost what stands elsewhere, too"
    return [f"{where}: {said or 'nothing'}.", ""]


def _proofs(facts: dict[str, Any]) -> list[str]:
    """How much of what was planted the run has found; none of it is in the corpus."""
    lines = plant_lines({"deduplicate": facts, "decontaminate": facts})
    return [*(f"{line[0].upper()}{line[1:]}." for line in lines), *([""] if lines else [])]


def _benchmark_limit(facts: dict[str, Any]) -> str:
    if facts["benchmarks"] is None:
        return "Nothing was compared with benchmarks: scores on them may be too good."
    short = sum(found["items_not_checkable"] for found in facts["benchmarks"].values())
    unchecked = f" {short:,} items were too short, or little but numbers, and not looked for." if short else ""
    return (
        f"Compared with {', '.join(facts['benchmarks'])} by their wording alone: translations and retold items stay, "
        f"and scores on other benchmarks may be too good.{unchecked}"
    )


def _in_words(flag: dict[str, Any]) -> str:
    return (
        f"The rule `{flag['reason']}` takes {flag['share']:.1%} of the documents of the {flag['grouping']} "
        f"{flag['group']} ({flag['dropped']:,}) and {flag['share_of_others']:.2%} of all others."
    )


def _amounts(facts: dict[str, Any]) -> str:
    size, tokens = f"{facts['text_bytes']:,} bytes of text", facts["tokens"]
    if tokens is None:
        return f"{size}."
    return f"{size}; {tokens['train_tokens']:,} tokens to train on and {tokens['validation_tokens']:,} held out."


def _what_is_in_it(facts: dict[str, Any]) -> list[str]:
    """The documents kept by what they are."""
    if facts["balance"] is None:
        rows = [f"| {language} | {n:,} |" for language, n in facts["languages"].items()]
        return ["| language | documents |", "|---|---|", *rows, ""]
    lines: list[str] = []
    for grouping, rows in facts["balance"]["groups"].items():
        lines += [f"| {grouping} | documents read | kept | bytes of text kept | tokens |", "|---|---|---|---|---|"]
        for row in rows:
            tokens = "-" if row["kept_tokens"] is None else f"{row['kept_tokens']:,}"
            lines.append(
                f"| {row['name']} | {row['documents']:,} | {row['kept']:,} | {row['kept_bytes']:,} | {tokens} |"
            )
        number = facts["balance"]["num_groups"][grouping]
        lines += ["", *([f"The {len(rows)} with the most documents, of {number:,}.", ""] if number > len(rows) else [])]
    return lines


def model_card(facts: dict[str, Any]) -> str:
    """The model card, with the metadata that model hubs read in front."""
    scores, model, training = facts["evaluation"], facts["model"], facts["training"]
    known = [language for language in facts["languages"] if language != "und"]
    return "\n".join(
        [
            "---",
            "library_name: transformers",
            "pipeline_tag: text-generation",
            "language:",
            *(f"- {language}" for language in known),
            "---",
            "",
            f"# {facts['name']}",
            "",
            f"A {model['family']} with {facts['parameters']:,} parameters, trained from scratch by Seedbed on "
            f"{training['num_steps'] * training['global_batch_tokens']:,} tokens ({facts['flops']:.3g} FLOPs).",
            "",
            "| on held-out text | nats per token |",
            "|---|---|",
            f"| this model | {scores['validation_loss']:.4f} |",
            f"| bigram model | {scores['bigram_loss']:.4f} |",
            f"| unigram model | {scores['unigram_loss']:.4f} |",
            "",
            f"Perplexity {scores['perplexity']:.2f}, {scores['bits_per_byte']:.4f} bits per byte.",
            "",
            *scores_by_group(scores),
            "## Data",
            "",
            "See `DATASHEET.md`. In short:",
            "",
            *_funnel(facts),
            "",
            *mixture_table(facts.get("mixture")),
            "## Limits",
            "",
            "A base model: it continues text, follows no instructions, and says what its sources say, right or wrong.",
            "",
        ]
    )
