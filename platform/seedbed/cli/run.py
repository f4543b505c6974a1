"""`seedbed run`."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from seedbed.cli import completion
from seedbed.cli.batch import EachOption
from seedbed.cli.options import JsonOption, Places, RunFileArgument, SetOption, StateOption, StoreOption, places


def run(
    context: typer.Context,
    run_file: RunFileArgument,
    overrides: SetOption = None,
    until: Annotated[
        str | None, typer.Option(metavar="STEP", help="Stop after this step.", autocompletion=completion.steps)
    ] = None,
    over_budget: Annotated[
        str | None, typer.Option(metavar="REASON", help="Start a run that the budget refuses; the reason is kept.")
    ] = None,
    each: EachOption = None,
    as_json: JsonOption = False,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Carry a run out, on a Ray of its own or the one of cluster.address. What is there is not done again.

    Leaves with 0 when it is done, 1 when it failed, 2 where the run file is wrong, 3 where the budget refuses it, 75
    when it was told to stop. Stopped, failed or killed: the same command goes on from there. With --each, 1 when a run
    failed; the others are carried out all the same.
    """
    from seedbed.errors import UsageError
    from seedbed.launch import ENDING_SIGNALS, start

    here = places(context, store, state)
    if each is not None:
        raise typer.Exit(_batch(here, run_file, overrides or (), each, until, over_budget, as_json))
    if as_json:
        raise UsageError("--json goes with --each: of one run, `seedbed show RUN --json` prints the same")
    command = start(here.open_store(), here.state_directory(), run_file, overrides or (), until, over_budget)
    # The driver takes this process's place: signals reach it, and its end is this command's end. They wait until it
    # listens: in the middle of its start they would end it with a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    os.execv(command[0], command)


def _batch(
    here: Places,
    run_file: str,
    overrides: Sequence[str],
    each: str,
    until: str | None,
    over_budget: str | None,
    as_json: bool,
) -> int:
    from seedbed.batch import expand
    from seedbed.batch_run import BatchRunner
    from seedbed.cli.batch import print_batch
    from seedbed.launch import check_until

    check_until(until)
    members = expand(run_file, overrides, each)
    # What drivers say goes beside the one JSON document.
    runner = BatchRunner(here.open_store(), here.state_directory(), sys.stderr if as_json else None)
    rows = runner.carry_out(
        run_file,
        members,
        until,
        over_budget,
        lambda line: print(line, file=sys.stderr if as_json else None, flush=True),
    )
    print_batch(rows, as_json)
    return runner.exit_code
