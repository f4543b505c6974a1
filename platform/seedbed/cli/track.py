"""`seedbed track`."""

from typing import Annotated

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


def track(
    context: typer.Context,
    run: RunArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every run of the store.")] = False,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Send to MLflow what is left of a run: what its server did not take while it was down. Without RUN, the newest.

    Leaves with 0 when nothing is left, 1 where MLflow does not take it.
    """
    from seedbed.cli.printing import console, print_json
    from seedbed.tracking.catch_up import catch_up

    here = places(context, store, state)
    results = catch_up(here.open_store(), here.state_directory(), None if every else [run])
    if as_json:
        print_json({"runs": [result.to_json() for result in results]})
    else:
        for result in results:
            console().print(f"{result.run}: {result.said}", soft_wrap=True)
    if any(result.failed for result in results):
        raise typer.Exit(1)
