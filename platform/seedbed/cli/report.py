"""`seedbed report`."""

from pathlib import Path
from typing import Annotated

import typer

from seedbed.cli.options import StateOption, StoreOption, places
from seedbed.cli.why import RunOption


def report(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; an earlier report is replaced.")],
    run: RunOption = None,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Write a report on a run's corpus: a page to read, and a datasheet in Markdown and JSON."""
    from seedbed import runs
    from seedbed.cli.printing import console
    from seedbed.corpus_report.write import write_report

    here = places(context, store, state)
    opened = here.open_store()
    record = runs.find(opened, here.state_directory(), run)
    out = console()
    for path in write_report(opened, runs.load_plan(opened, record.run), folder):
        out.print(str(path), soft_wrap=True)
