"""`seedbed retry`."""

import typer

from seedbed.cli.job_printing import JobArgument, print_queued_again
from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places


def retry(
    context: typer.Context,
    job: JobArgument,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """Try a job again that failed or was lost, with the same code and run file; what was done stays done.

    A job that waits for its next try by itself starts without waiting.
    """
    from seedbed.job_requests import retry as again
    from seedbed.login import login_name

    opened = places(context, None, state, registry).open_registry()
    print_queued_again(opened, again(opened, opened.find_job(job), actor=login_name()), as_json)
