"""`seedbed conform`."""

import os
import signal
from typing import Annotated

import typer

from seedbed.cli.options import RunFileArgument, SetOption, StateOption, StoreOption, places


def conform(
    context: typer.Context,
    run_file: RunFileArgument,
    overrides: SetOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="On the run's own model and batch, which one process must be able to hold.")
    ] = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Prove that a run's layout computes what one process computes: gradients, norms and weights, on its hardware.

    Leaves with 0 when it does, 1 when it does not, 2 where the run file is wrong. The certificate stands by the run.
    """
    from seedbed.conformance import start_conformance
    from seedbed.launch import ENDING_SIGNALS

    here = places(context, store, state)
    command = start_conformance(here.open_store(), here.state_directory(), run_file, overrides or (), full)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
    os.execv(command[0], command)  # the driver takes this process's place, as that of `run` does
