"""`seedbed run`."""

import os
import signal
from typing import Annotated

import typer

from seedbed.cli.options import RunFileArgument, SetOption, StateOption, StoreOption, places


def run(
    context: typer.Context,
    run_file: RunFileArgument,
    overrides: SetOption = None,
    until: Annotated[str | None, typer.Option(metavar="STEP", help="Stop after this step.")] = None,
    over_budget: Annotated[
        str | None, typer.Option(metavar="REASON", help="Start a run that the budget refuses; the reason is kept.")
    ] = None,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Carry a run out, on a Ray of its own or the one of cluster.address. What is there is not done again.

    Leaves with 0 when it is done, 1 when it failed, 2 where the run file is wrong, 3 where the budget refuses it, 75
    when it was told to stop. Stopped, failed or killed: the same command goes on from there.
    """
    from seedbed.launch import ENDING_SIGNALS, start

    here = places(context, store, state)
    command = start(here.open_store(), here.state_directory(), run_file, overrides or (), until, over_budget)
    # The driver takes this process's place: signals reach it, and its end is this command's end. They wait until it
    # listens: in the middle of its start they would end it with a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    os.execv(command[0], command)
