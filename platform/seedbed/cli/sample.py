"""`seedbed sample`."""

from typing import Annotated

import typer

from seedbed.cli import completion
from seedbed.cli.options import JsonOption, StateOption, StoreOption, places
from seedbed.cli.why import RunOption

_STEPS_HELP = "extract, clean, select, deduplicate, decontaminate, repeats or corpus."


def sample(
    context: typer.Context,
    step: Annotated[str, typer.Argument(metavar="STEP", help=_STEPS_HELP, autocompletion=completion.sampled_steps)],
    reason: Annotated[str | None, typer.Option("--reason", metavar="R", help="Dropped for this; else kept.")] = None,
    number: Annotated[int, typer.Option("-n", min=1, help="How many documents.")] = 5,
    characters: Annotated[int, typer.Option(min=0, help="How much of each text; 0 shows all.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other documents.")] = 0,
    run: RunOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Read some documents that a step kept, or dropped for a reason."""
    from dataclasses import asdict

    from seedbed import runs
    from seedbed.cli.printing import console, print_json
    from seedbed.sample import sample as take

    here = places(context, store, state)
    opened = here.open_store()
    record = runs.find(opened, here.state_directory(), run)
    documents = take(opened, runs.load_plan(opened, record.run), step, reason, number, seed)
    if as_json:
        print_json({"run": record.run, "step": step, "documents": [asdict(document) for document in documents]})
        return
    out = console()
    for document in documents:
        measured = (
            f" {document.reason} {document.value if document.value is not None else ''}" if document.reason else ""
        )
        lost_to = f", lost to {document.duplicate_of}" if document.duplicate_of else ""
        out.print(f"── {document.document_id}  {document.url or ''}{measured}{lost_to}", soft_wrap=True, style="bold")
        cut = document.text[:characters] if characters else document.text
        out.print(cut + (" …" if len(cut) < len(document.text) else "") + "\n", soft_wrap=True)
    if not documents:
        out.print("none")
