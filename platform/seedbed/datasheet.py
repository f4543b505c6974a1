"""The datasheet of a corpus and the card of a model: what both are made of, read from the manifests.

After Gebru et al. 2021, Datasheets for Datasets, and Mitchell et al. 2019, Model Cards, as far as a machine knows.
Nothing in them depends on where or when they were made: the same run gives the same text.
"""

from typing import Any

from dataprep.personal_data import KINDS, PLURALS
from seedbed.artifact import Artifact
from seedbed.plan import Plan
from seedbed.steps import OPERATIONAL
from seedbed.store import Store
from seedbed.summary import FUNNEL_STEPS

_KIND_NAMES = ("e-mail addresses", "IP addresses", "telephone numbers", "bank accounts (IBAN)", "card numbers")
_DONE = {"mask": "masked", "cut": "cut out", "keep": "kept"}
_SHOWN = ("clean", "annotate", "select", "deduplicate", "corpus", "tokenizer", "shards")


def datasheet(store: Store, plan: Plan) -> dict[str, Any]:
    """Everything that both documents say, as one JSON value."""
    manifests = {
        step.kind: manifest
        for step in plan.steps
        if (manifest := Artifact(store, step.kind, step.fingerprint).manifest()) is not None
    }
    sources = {
        name: {"licence": source.licence, "files": sum(f.source == name for f in plan.sources)}
        for name, source in sorted(plan.run.data.sources.items())
    }
    funnel = [
        {
            "step": kind,
            "records_in": manifests[kind]["records_in"],
            "records_out": manifests[kind]["records_out"],
            "dropped": manifests[kind]["dropped"],
        }
        for kind in FUNNEL_STEPS
    ]
    corpus = manifests["corpus"]
    return {
        "name": plan.run.name,
        "sources": sources,
        "funnel": funnel,
        "text_bytes": corpus["bytes_out"],
        "corpus": corpus["counts"],
        "languages": corpus["languages"],
        "tokens": manifests["shards"]["counts"],
        "settings": {kind: manifests[kind]["config"] for kind in _SHOWN},
        "fingerprints": {step.kind: step.fingerprint for step in plan.steps if step.kind != "export"},
        "digests": {kind: manifest["digest"] for kind, manifest in manifests.items() if kind != "export"},
        "model": plan.config["model"],
        "training": {k: v for k, v in plan.config["training"].items() if k not in OPERATIONAL},
        "parameters": plan.parameters,
        "flops": plan.flops,
        "evaluation": manifests["evaluate"]["evaluation"],
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
    tokens = facts["tokens"]
    lines = [
        f"# Datasheet: the corpus of {facts['name']}",
        "",
        "## Where it comes from",
        "",
        "| source | files | licence |",
        "|---|---|---|",
        *(f"| {n} | {s['files']:,} | {s['licence'] or 'not stated'} |" for n, s in facts["sources"].items()),
        "",
        "## What became of every record",
        "",
        *_funnel(facts),
        "",
        "## What is in it",
        "",
        f"{facts['text_bytes']:,} bytes of text; {tokens['train_tokens']:,} tokens to train on and "
        f"{tokens['validation_tokens']:,} held out.",
        "",
        _personal_data(facts),
        "",
        "| language | documents |",
        "|---|---|",
        *(f"| {language} | {n:,} |" for language, n in facts["languages"].items()),
        "",
        "## Known limits",
        "",
        "- Language, quality and duplicates are decided by rules; the settings below say which.",
        "- Names, postal addresses and other personal data without a form of its own are not looked for.",
        "- Nothing was compared with benchmarks: scores on them may be too good.",
        "",
        "## Settings",
        "",
    ]
    for kind, config in facts["settings"].items():
        lines.append(f"- {kind} (`{facts['fingerprints'][kind]}`): `{config}`")
    return "\n".join(lines) + "\n"


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
            "## Data",
            "",
            "See `DATASHEET.md`. In short:",
            "",
            *_funnel(facts),
            "",
            "## Limits",
            "",
            "A base model: it continues text, follows no instructions, and says what its sources say, right or wrong.",
            "",
        ]
    )
