"""`seedbed stop`."""

from typing import Annotated

import typer

from seedbed.cli.job_printing import JobArgument
from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places
from seedbed.programs import typed


def stop(
    context: typer.Context,
    job: JobArgument,
    now: Annotated[bool, typer.Option("--now", help="End it at once; steps since its checkpoint are lost.")] = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """Ask a job to stop at a checkpoint, or between two units of a data step. In the queue it is stopped at once."""
    from seedbed.cli.job_printing import print_silence
    from seedbed.cli.printing import console, print_json
    from seedbed.job_requests import stop as ask_to_stop
    from seedbed.job_table import next_command
    from seedbed.login import login_name
    from seedbed.registry.states import Desired

    opened = places(context, None, state, registry).open_registry()
    asked, note = ask_to_stop(opened, opened.find_job(job), now=now, actor=login_name())
    print_silence(opened)
    if as_json:
        print_json({"job": asked.id, "state": asked.state, "desired": asked.desired, "note": note})
        return
    done = asked.is_final
    how = "now" if asked.desired == Desired.STOP_NOW else "at a checkpoint"
    said = asked.state if done else f"asked to stop {how}"
    console().print(f"job {asked.id} ({asked.run_id}): {said}", soft_wrap=True)
    if note:
        console().print(note, soft_wrap=True)
    console().print(
        "next: " + (next_command(asked, written=typed) if done else typed(f"seedbed logs -f {asked.id}")),
        soft_wrap=True,
    )
