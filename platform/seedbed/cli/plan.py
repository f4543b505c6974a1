"""`seedbed plan`."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from seedbed.cli.batch import EachOption
from seedbed.cli.options import JsonOption, RunFileArgument, SetOption, StateOption, StoreOption, places
from seedbed.cli.scaling import in_words
from seedbed.errors import BudgetRefused

if TYPE_CHECKING:
    from rich.table import Table

    from seedbed.plan import Plan
    from seedbed.scaling.laws import Prediction
    from seedbed.scaling.time_and_money import Estimate


def plan(
    context: typer.Context,
    run_file: RunFileArgument,
    overrides: SetOption = None,
    each: EachOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Say what a run would do, what it would cost, and whether its budget allows it. Starts nothing.

    Leaves with 0 where it may start (with warnings, maybe), 2 where the run file is wrong, 3 where it is refused.
    """
    from seedbed.cli.printing import print_json
    from seedbed.machine_gpus import lack_of_gpu
    from seedbed.plan import make_plan
    from seedbed.runfile.load import load_run

    opened = places(context, store, state).open_store()
    if each is not None:
        from seedbed.batch import expand
        from seedbed.cli.batch import print_planned_batch

        members = expand(run_file, overrides or (), each)
        raise typer.Exit(print_planned_batch(run_file, members, opened, as_json))
    made = make_plan(load_run(run_file, overrides or ()), opened)
    if as_json:
        print_json(made.to_json())
    else:
        print_plan(made)
    if (lack := lack_of_gpu(made)) is not None:
        print(f"warning: {lack}", file=sys.stderr)
    if made.verdict == "refuse":
        raise typer.Exit(BudgetRefused.exit_code)


def print_plan(made: "Plan") -> None:
    """The plan for people: steps, sizes, verdict."""
    from seedbed.cli.printing import console, plain_table
    from seedbed.units import num_bytes, si

    out = console()
    out.print(f"run {made.run_id}\n")
    steps = plain_table("step", "fingerprint", "state")
    for step in made.steps:
        steps.add_row(step.kind, step.fingerprint, step.state)
    out.print(steps)
    stored = sum(file.num_bytes for file in made.sources)
    unique = f"{made.unique_tokens:,}" if made.unique_tokens is not None else f"at most {made.max_unique_tokens:,}"
    sizes = plain_table("", "")
    sizes.show_header = False
    sizes.add_row("sources", f"{len(made.sources):,} files, {num_bytes(stored)}")
    if made.num_ignored:
        more = "" if made.num_ignored == 1 else f" and {made.num_ignored - 1:,} more"
        sizes.add_row("ignored", f"{made.ignored[0]}{more}: no reader for the name")
    earlier = made.step("deduplicate").config.get("earlier", ())
    if earlier:
        sizes.add_row("against", f"the corpora of {', '.join(one['run'] for one in earlier)}")
    sizes.add_row("parameters", f"{made.parameters:,} ({_shares(made.parameters_by_component)})")
    sizes.add_row("tokens", f"{made.tokens:,} to train on; unique: {unique}")
    sizes.add_row("FLOPs", f"{si(made.flops)}FLOPs")
    sizes.add_row("layout", _layout(made))
    for label, memory in _memory(made):
        sizes.add_row(label, memory)
    if made.checkpoint_bytes is not None:
        kept = made.run.training.keep_checkpoints + 1
        disk = num_bytes(made.checkpoint_bytes * kept)
        size = num_bytes(made.checkpoint_bytes)
        sizes.add_row("checkpoint", f"{size}, of which {kept} stay (the newest, and the best): {disk}")
    sizes.add_row("hours", _estimate(made.hours, "hours of training steps; data steps are not counted"))
    sizes.add_row("device hours", _estimate(made.device_hours, f"on {made.run.cluster.training_ranks} ranks"))
    sizes.add_row("cost", _estimate(made.cost, "in the currency of cluster.price_per_device_hour"))
    sizes.add_row("predicted loss", _loss(made.predicted_loss))
    for best in made.optimum:
        if best.law == made.run.budget.loss_law:
            sizes.add_row("compute-optimal", in_words(best))
    out.print()
    out.print(sizes)
    if made.mixture:
        out.print()
        out.print(_mixture(made))
    out.print(f"\nverdict: {made.verdict}")
    for finding in made.findings:
        out.print(f"  {finding.level}: {finding.message}", soft_wrap=True)
    if made.nearest_num_steps is not None:
        out.print(f"  with training.num_steps {made.nearest_num_steps} no limit would refuse it")


def _mixture(made: "Plan") -> "Table":
    """What is taken of each source."""
    from seedbed.cli.printing import plain_table
    from seedbed.mixture import mixture_cells

    headings = ("source", "tokens available", "weight asked", "weight got", "tokens taken", "epochs")
    table = plain_table(*headings, right=headings[1:])
    for cells in mixture_cells(made.mixture):
        table.add_row(*cells)
    return table


def _layout(made: "Plan") -> str:
    """How a step is laid over the ranks, and what of it is computed for nothing."""
    from seedbed.layout import batch_layout

    run = made.run
    training, ranks = run.training, run.cluster.training_ranks
    batch = batch_layout(training, run.model.sequence_length, ranks)
    stages = f" in {training.pipeline_stages} stages" if training.pipeline_stages > 1 else ""
    noun = "sequence" if batch.global_batch_sequences == 1 else "sequences"
    step = f"{batch.global_batch_sequences:,} {noun} a step = {batch.data_ranks} x {batch.micro_batch_sequences}"
    padding = batch.padding_sequences
    rows = batch.global_batch_sequences + padding
    idle = f"; {padding} of {rows} rows are padding, counted in hours and cost" if padding else ""
    accumulation = f" x {batch.accumulation_steps} accumulated"
    return f"{ranks} ranks{stages}, ZeRO-{training.zero_stage}, {training.precision}; {step}{accumulation}{idle}"


def _memory(made: "Plan") -> Iterator[tuple[str, str]]:
    """A line for each role; in a pipeline the ranks of one stage."""
    from seedbed.units import num_bytes

    for number, role in enumerate(made.memory_by_role):
        parts = ", ".join(f"{name} {num_bytes(size)}" for name, size in role.by_component().items() if size)
        of = f" of {num_bytes(made.device_memory_bytes)}" if made.device_memory_bytes is not None else ""
        host = f"; on the host {num_bytes(role.host)}" if role.host else ""
        at = f"{role.role}, " if len(made.memory_by_role) > 1 else ""
        yield "" if number else "memory per rank", f"{at}{num_bytes(role.total)}{of} ({parts}){host}"


def _estimate(estimate: "Estimate", what: str) -> str:
    if estimate.low is None or estimate.high is None:
        return f"unknown: {estimate.reason}"
    low, high = f"{estimate.low:.3g}", f"{estimate.high:.3g}"
    return f"{low if low == high else f'{low} to {high}'} {what}"


def _loss(predicted: "Prediction") -> str:
    if predicted.value is None:
        return f"unknown: {predicted.reason}"
    return f"{predicted.value:.3f} nats per token by the law of {predicted.law}, assuming {predicted.assumes}"


def _shares(parts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in parts.items() if number)
