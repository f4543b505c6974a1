"""What a run says while it goes and when it ends: a line a step, then the funnel, the losses, what to type next."""

import shlex
from typing import Any

from dataprep.personal_data import PLURALS
from dataprep.reading.record import DAMAGE
from seedbed import runs
from seedbed.artifact import Artifact
from seedbed.defaults import DEFAULT_STORE
from seedbed.plan import Plan
from seedbed.planted import plant_lines
from seedbed.programs import typed
from seedbed.progress import Progress
from seedbed.sample import sample
from seedbed.show import DONE, run_summary
from seedbed.state import StateDirectory
from seedbed.store import Store

_BAR = 30  # characters of the funnel's longest bar
_REASONS = 4  # in a step's line; the funnel has them all
_FILES = 3  # that are damaged; the manifest has them all
_GROUPS = 6  # in a line on the loss by group; `show --json`, the model card and the dashboard have them all
FUNNEL_STEPS = ("extract", "select", "deduplicate", "decontaminate", "repeats", "corpus")


def step_line(manifest: dict[str, Any], cached: bool) -> str:
    """One line on a committed step."""
    parts = [f"{manifest['kind']:<12}"]
    if manifest["records_in"]:
        parts.append(f"{manifest['records_in']:>8,} in {manifest['records_out']:>8,} out")
    else:
        parts.append(" " * 24)
    parts.append("cached" if cached else f"{manifest['seconds']:.1f} s")
    said = _said(manifest)
    return "  ".join(parts) + (f"   {said}" if said else "")


def _said(manifest: dict[str, Any]) -> str:
    counts, kind = manifest["counts"], manifest["kind"]
    if kind == "clean" and manifest["bytes_cut"]:
        return f"{manifest['bytes_cut']:,} of {manifest['bytes_in']:,} bytes cut"
    if kind == "deduplicate":
        return f"{counts['candidate_pairs']:,} candidate pairs, {counts['rejected_pairs']:,} refused on their texts"
    if kind == "decontaminate":
        return f"{counts['items_found']:,} of {counts['items']:,} items found in {counts['documents_hit']:,} documents"
    if kind == "repeats":
        share = f"{manifest['bytes_cut']:,} of {manifest['bytes_in']:,} bytes"
        return f"{share} cut out of {counts['documents_cut']:,} documents"
    if kind == "shards":
        return f"{counts['train_tokens']:,} tokens to train on, {counts['validation_tokens']:,} held out"
    if kind == "corpus":
        masked = sum(counts.get(f"{name}_masked", 0) for name in PLURALS)
        return f"{masked:,} pieces of personal data masked" if masked else ""
    if kind == "tokenizer":
        return f"{counts['vocab_size']:,} tokens learnt from {counts['sample_bytes']:,} bytes"
    if kind == "pretrain":
        training = manifest["training"]
        return f"loss {training['loss_first']:.3f} -> {training['loss_last']:.3f} in {training['steps']:,} steps"
    dropped = sorted(manifest["dropped"].items(), key=lambda item: -item[1])
    more = ", ..." if len(dropped) > _REASONS else ""
    return ", ".join(f"{number:,} {reason}" for reason, number in dropped[:_REASONS]) + more


def print_end(store: Store, state: StateDirectory, plan: Plan, progress: Progress) -> None:
    """The end of a run, for people."""
    record = runs.load(store, plan.run_id)
    assert record is not None, "a run that ends was begun"
    summary = run_summary(store, state, record, plan)
    for line in end_lines(summary, _example_url(store, plan, summary)):
        progress.say(line)


def _example_url(store: Store, plan: Plan, summary: dict[str, Any]) -> str | None:
    """A page of this run to ask about: one that lost to another, else one that was dropped, else one that was kept."""
    done = {step["kind"]: step for step in summary["steps"] if step["state"] == DONE}
    for kind in ("deduplicate", "select", "extract"):
        if kind in done:
            reason = max(done[kind]["dropped"], key=lambda r: (done[kind]["dropped"][r], r), default=None)
            for document in sample(store, plan, kind, reason, 1):
                return document.url or document.document_id
    return None


def end_lines(summary: dict[str, Any], example: str | None = None) -> list[str]:
    """Funnel, losses, places, next commands; `example` is a page to ask about."""
    run = summary["run"]
    lines = ["", *funnel_lines(summary)]
    if proofs := [*benchmark_lines(summary), *planted_lines(summary)]:
        lines += ["", *proofs]
    training = summary["training"]
    if training and training.get("bits_per_byte") is not None:  # or it has not ended
        lines += ["", *training_lines(training)]
    lines += ["", f"run {run}: {summary['state']}"]
    if summary["export"]:
        lines.append(f"model (Hugging Face format): {summary['export']}")
    place = "" if summary["store"] == DEFAULT_STORE else f" --store {shlex.quote(summary['store'])}"
    commands = [f"show {run}", f"sample select --run {run} -n 3", f"why {shlex.quote(example or 'URL')} --run {run}"]
    if summary["export"]:
        commands.append(f"export {run} DIR")
    lines += ["", "next:", *("  " + typed(f"seedbed {command}{place}") for command in commands)]
    if not summary["export"]:
        lines.append("  or the same `seedbed run` without --until, which goes on from here")
    return lines


def funnel_lines(summary: dict[str, Any]) -> list[str]:
    """How many records were left after each step, and why the others went."""
    steps = {step["kind"]: step for step in summary["steps"] if step["state"] == DONE}
    if "extract" not in steps:
        return []
    whole = max(steps["extract"]["records_in"], 1)
    lines = [f"{'records':<12} {steps['extract']['records_in']:>8,} {'█' * _BAR}"]
    for kind in FUNNEL_STEPS:
        if kind not in steps:
            continue
        step = steps[kind]
        bar = "█" * round(_BAR * step["records_out"] / whole)
        lines.append(f"{kind:<12} {step['records_out']:>8,} {bar}")
        for reason, number in sorted(step["dropped"].items(), key=lambda item: (-item[1], item[0])):
            lines.append(f"{'':<12} {-number:>8,} {reason}")
    return lines


def benchmark_lines(summary: dict[str, Any]) -> list[str]:
    """What of each evaluation set was found; none where the run does not look for any, or has not yet."""
    steps = {step["kind"]: step for step in summary["steps"] if step["state"] == DONE}
    benchmarks = steps.get("decontaminate", {}).get("benchmarks", {})
    return [f"benchmark {name}: {benchmark_words(found)}" for name, found in benchmarks.items()]


def planted_lines(summary: dict[str, Any]) -> list[str]:
    """How many of the plants were found; none where nothing was planted, or the steps are to do."""
    return plant_lines({step["kind"]: step for step in summary["steps"] if step["state"] == DONE})


def benchmark_words(found: dict[str, int]) -> str:
    """What of one evaluation set was found, of the manifest's `benchmarks`."""
    unchecked = (
        f", {found['items_not_checkable']:,} too short or too plain to be checked"
        if found["items_not_checkable"]
        else ""
    )
    where = f" in {found['documents']:,} documents" if found["items_found"] else ""
    return f"{found['items_found']:,} of {found['items']:,} items found{where}{unchecked}"


def training_lines(training: dict[str, Any]) -> list[str]:
    """The losses, beside what they are held against; nats per token. Of a training on its way, how far it is."""
    if training.get("validation_loss") is None or training.get("bits_per_byte") is None:
        validated = training.get("validation_loss")
        return [
            f"training so far: step {training['steps']:,}, "
            f"loss {training['loss_first']:.3f} -> {training['loss_last']:.3f}"
            + (f", validation loss {validated:.3f}" if validated is not None else ""),
            *spending_lines(training),
        ]
    perplexity = "beyond measure" if training["perplexity"] is None else f"{training['perplexity']:.1f}"
    lines = [
        f"training: {training['steps']:,} steps, loss {training['loss_first']:.3f} -> {training['loss_last']:.3f}",
        f"validation loss {training['validation_loss']:.3f} nats per token "
        f"(perplexity {perplexity}, {training['bits_per_byte']:.3f} bits per byte)",
    ]
    if training.get("unigram_loss") is not None:
        lines.append(
            f"on the same tokens: unigram model {training['unigram_loss']:.3f}, "
            f"bigram model {training['bigram_loss']:.3f}"
        )
    return [*lines, *group_lines(training), *mixture_lines(training), *spending_lines(training)]


def group_lines(training: dict[str, Any]) -> list[str]:
    """The loss by source, language and domain, where there are several, and whose held-out text is too little."""
    lines = []
    for kind, found in training.get("by", {}).items():
        small = found["too_small"]
        if len(found["groups"]) + small["groups"] < 2:
            continue
        said = [f"{one['name']} {one['bits_per_byte']:.3f} ({one['tokens']:,} tokens)" for one in found["groups"]]
        if len(said) > _GROUPS:
            said[_GROUPS:] = [f"{len(said) - _GROUPS:,} more"]
        if small["groups"]:
            more = ", ..." if small["groups"] > _GROUPS else ""
            said.append(f"too little held out of {small['groups']:,}: {', '.join(small['names'][:_GROUPS])}{more}")
        lines.append(f"bits per byte by {kind}: {'; '.join(said)}")
    return lines


def mixture_lines(training: dict[str, Any]) -> list[str]:
    """What was trained on of each source; nothing of a training that mixes none."""
    said = [
        f"{name} {row['tokens']:,} tokens ({row['weight']:.1%}, {row['epochs']:.2f} epochs)"
        for name, row in (training.get("mixture") or {}).items()
    ]
    return [f"trained on: {', '.join(said)}"] if said else []


def spending_lines(training: dict[str, Any]) -> list[str]:
    """What the training has spent, over all attempts, and how much of the time went into steps that count."""
    spending = training.get("spending")
    if not spending or not spending["wall_hours"]:
        return []
    cost = "" if spending["cost"] is None else f", {spending['cost']:,.2f} of money"
    lost = f", {spending['steps_lost']:,} steps lost to restarts" if spending["steps_lost"] else ""
    return [
        f"spent: {spending['flops']:.3g} FLOPs, {spending['wall_hours']:.3g} hours,"
        f" {spending['device_hours']:.3g} device hours{cost}{lost}; goodput {spending['goodput']:.0%}"
    ]


def print_step(progress: Progress, artifact: Artifact, cached: bool) -> None:
    manifest = artifact.manifest()
    assert manifest is not None, "a step ends with its commit"
    progress.say(step_line(manifest, cached))
    if manifest.get("damaged"):
        reason = next(reason for reason in DAMAGE if reason in manifest["dropped"])
        progress.say(f"warning: {damage_line(manifest)}; `seedbed sample extract --reason {reason}` shows where")


def damage_line(manifest: dict[str, Any]) -> str:
    """Which files of the crawl are damaged, from the manifest of an `extract` that says so: what stood there is lost,
    and is no less lost for being counted among the drops."""
    damaged = manifest["damaged"]
    places = sum(one["places"] for one in damaged)
    named = ", ".join(f"{one['source']}/{one['path']}" for one in damaged[:_FILES])
    more = ", .." if len(damaged) > _FILES else ""
    number = f"{len(damaged):,} of {len(manifest['input_shards']):,} files of the crawl"
    return f"{number} cannot be read in part, at {places:,} {'place' if places == 1 else 'places'}: {named}{more}"
