"""`seedbed export`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from seedbed.cli import completion
from seedbed.cli.options import StateOption, StoreOption, places


def export(
    context: typer.Context,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run's id, or a name: then its newest run.", autocompletion=completion.runs
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is not there yet, or empty.")],
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Copy a finished run's model, tokenizer, model card and datasheet into a folder that `transformers` loads."""
    from seedbed import runs
    from seedbed.cli.printing import console
    from seedbed.exported import copy_export

    here = places(context, store, state)
    opened = here.open_store()
    record = runs.find(opened, here.state_directory(), run)
    names = copy_export(opened, runs.load_plan(opened, record.run), folder)
    console().print(f"{folder}: {', '.join(names)}")
    console().print(
        f'next: {sys.executable} -c "from transformers import pipeline; '
        f"print(pipeline('text-generation', '{folder}')('The server', max_new_tokens=30))\"",
        soft_wrap=True,
    )
