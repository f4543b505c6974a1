"""`seedbed why`."""

from typing import Annotated, Any

import typer

from seedbed.cli import completion
from seedbed.cli.options import JsonOption, StateOption, StoreOption, places

MAX_MATCHES = 5
"""Evaluation texts, and repeated passages, that are told of one document."""

RunOption = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="RUN",
        help="A run's id or name; the newest run where none is named.",
        autocompletion=completion.runs,
    ),
]


def why(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="URL-or-document-id", help="A URL, or source/path#number.")],
    run: RunOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """What became of a page, step by step: kept as what, or dropped by which rule at which value."""
    from seedbed import runs
    from seedbed.cli.printing import print_json
    from seedbed.why import why as find_out

    here = places(context, store, state)
    opened = here.open_store()
    record = runs.find(opened, here.state_directory(), run)
    told = find_out(opened, runs.load_plan(opened, record.run), target)
    if as_json:
        print_json({"run": record.run, **told})
    else:
        _print_told(told)


def _print_told(told: dict[str, Any]) -> None:
    from seedbed.cli.printing import console

    out = console()
    out.print(f"{told['document_id']}  {told['url'] or ''}", soft_wrap=True)
    for entry in told["history"]:
        facts = ", ".join(f"{k} {_short(v)}" for k, v in entry.items() if k not in ("step", "outcome"))
        out.print(f"  {entry['step']:<12} {entry['outcome']:<11} {facts}", soft_wrap=True)
    if told["duplicate_of"]:
        of_run = f" of the earlier run {told['duplicate_of_run']}" if told["duplicate_of_run"] else ""
        out.print(f"  it lost to {told['duplicate_of']}{of_run}")
    for match in told["benchmarks"][:MAX_MATCHES]:
        changed = f", {match['num_changed']} words changed" if match["num_changed"] else ""
        out.print(
            f"  words {match['document_first_word']:,} to {match['document_end_word']:,} are of the benchmark"
            f" {match['set']}, {match['item']} {match['field']} ({match['num_found']:,} of {match['num_ngrams']:,}"
            f" n-grams{changed}): {match['phrase']}",
            soft_wrap=True,
        )
    if len(told["benchmarks"]) > MAX_MATCHES:
        out.print(f"  and {len(told['benchmarks']) - MAX_MATCHES:,} more; --json gives all of them")
    for passage in told["repeats"][:MAX_MATCHES]:
        out.print(
            f"  bytes {passage['start']:,} to {passage['end']:,} are a {passage['reason'].replace('_', ' ')}, first in"
            f" {passage['first_in']}: {passage['phrase']}",
            soft_wrap=True,
        )
    if len(told["repeats"]) > MAX_MATCHES:
        out.print(f"  and {len(told['repeats']) - MAX_MATCHES:,} more; --json gives all of them")
    if told["tokens"]:
        at = told["tokens"]
        out.print(f"  its tokens: {at['shard']} from {at['first_token']:,}, {at['num_tokens']:,} of them")
    for other in told["others"]:
        out.print(f"  also {other['document_id']}: {other['outcome']} by {other['step']} ({other['reason'] or 'kept'})")


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
