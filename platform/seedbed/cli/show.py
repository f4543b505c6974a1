"""`seedbed show`."""

from typing import Annotated, Any

import typer

from seedbed.cli import completion
from seedbed.cli.options import JsonOption, StateOption, StoreOption, places

RunArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]",
        help="A run's id, or a name: then its newest run.",
        show_default=False,
        autocompletion=completion.runs,
    ),
]


def show(
    context: typer.Context,
    run: RunArgument = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """All runs, or one: what each step took in, kept and dropped, the training, where things are."""
    from seedbed import runs
    from seedbed.cli.printing import print_json
    from seedbed.show import run_summary

    here = places(context, store, state)
    opened, directory = here.open_store(), here.state_directory()
    if run is None:
        records = runs.all_runs(opened, directory)
        if as_json:
            keys = ("run", "state", "created_at", "error")
            print_json({"runs": [{key: getattr(record, key) for key in keys} for record in records]})
        else:
            _print_runs(records, opened.url)
        return
    record = runs.find(opened, directory, run)
    summary = run_summary(opened, directory, record, runs.load_plan(opened, record.run))
    if as_json:
        print_json(summary)
    else:
        _print_run(summary)


def _print_runs(records: list[Any], url: str) -> None:
    from seedbed.cli.printing import console, plain_table
    from seedbed.runs import DAMAGED

    if not records:
        console().print(f"no runs in {url} yet: seedbed run RUN.yaml starts one")
        return
    table = plain_table("run", "state", "started", "attempts", right=("attempts",))
    for record in records:
        table.add_row(record.run, record.state, record.created_at, str(len(record.attempts)))
    console().print(table)
    for record in records:
        if record.state == DAMAGED:
            console().print(f"{record.run}: {record.error}", soft_wrap=True)


def _print_run(summary: dict[str, Any]) -> None:
    from seedbed.cli.printing import console, plain_table
    from seedbed.summary import benchmark_lines, funnel_lines, planted_lines, training_lines

    out = console()
    out.print(f"run {summary['run']}: {summary['state']}" + (f" ({summary['error']})" if summary["error"] else ""))
    table = plain_table(
        "step",
        "state",
        "in",
        "out",
        "dropped",
        "seconds",
        "digest",
        "artifact",
        right=("in", "out", "dropped", "seconds"),
    )
    for step in summary["steps"]:
        if step["digest"] is None:
            table.add_row(step["kind"], step["state"], "", "", "", "", "", step["path"])
            continue
        counts = (step["records_in"], step["records_out"], sum(step["dropped"].values()))
        numbers = [f"{n:,}" if step["records_in"] else "" for n in counts]  # of records; some steps have none
        table.add_row(
            step["kind"], step["state"], *numbers, f"{step['seconds']:.1f}", step["digest"][:12], step["path"]
        )
    out.print()
    out.print(table)
    lines = ["", *funnel_lines(summary)]
    if proofs := [*benchmark_lines(summary), *planted_lines(summary)]:
        lines += ["", *proofs]
    training = summary["training"]
    if training:
        lines += ["", *training_lines(training)]
    if summary["conformance"]:
        found = summary["conformance"]
        verdict = "computes what one process computes" if found["passed"] else "does NOT compute what it should"
        ranks = f"{found['layout']['ranks']} ranks" + ("" if found["is_of_these_ranks"] else ", not this run's number")
        lines += ["", f"layout: {verdict} (`seedbed conform`, {ranks}, {found['made_at']}, {found['device']})"]
    if summary["export"]:
        lines += ["", f"model (Hugging Face format): {summary['export']}"]
    out.print("\n".join(lines), soft_wrap=True)
