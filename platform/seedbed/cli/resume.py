"""`seedbed resume`."""

import typer

from seedbed.cli.job_printing import JobArgument, print_queued_again
from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places


def resume(
    context: typer.Context,
    job: JobArgument,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """Let a job that was stopped go on from its newest checkpoint."""
    from seedbed.job_requests import resume as again
    from seedbed.login import login_name

    opened = places(context, None, state, registry).open_registry()
    print_queued_again(opened, again(opened, opened.find_job(job), actor=login_name()), as_json)
