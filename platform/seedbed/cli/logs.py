"""`seedbed logs`."""

import sys
from typing import Annotated

import typer

from seedbed.cli.job_printing import JobArgument
from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places
from seedbed.programs import typed


def logs(
    context: typer.Context,
    job: JobArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job is over.")] = False,
    rank: Annotated[int | None, typer.Option("--rank", min=0, help="What this training process prints.")] = None,
    every: Annotated[bool, typer.Option("--all", help="The driver and all ranks.")] = False,
    attempt: Annotated[int | None, typer.Option("--attempt", min=1, help="Default: the newest.")] = None,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """What a job printed: the driver's, or a rank's. Kept in the store: it survives the cluster.

    With --follow it leaves as the job does.
    """
    from seedbed.cli.job_printing import Writer, follow_to_the_end, print_silence
    from seedbed.cli.printing import console, print_json
    from seedbed.errors import UsageError
    from seedbed.following import JobLog, attempt_of, why_empty
    from seedbed.reports import DRIVER, rank_source

    if every and rank is not None:
        raise UsageError("--all and --rank: give one of the two")
    if follow and (as_json or attempt is not None):
        raise UsageError("--follow goes on from the newest attempt, as text: without --json and --attempt")
    opened = places(context, None, state, registry).open_registry()
    found = opened.find_job(job)
    source = None if every else DRIVER if rank is None else rank_source(rank)
    print_silence(opened)
    if follow:
        raise typer.Exit(follow_to_the_end(opened, found, source, tail=True))
    log = JobLog(opened, found, source)
    chosen = attempt_of(log.attempts(), attempt, found)
    texts = list(log.new(chosen)) if as_json else log.new(chosen)
    if as_json:
        print_json(
            {
                "job": found.id,
                "attempt": chosen.number,
                "printed": [{"source": source, "text": text} for source, text in texts],
                "printed_last": log.printed_last(chosen),
            }
        )
        return
    write, is_empty = Writer(with_names=every), True
    for name, text in texts:
        write(name, text)
        is_empty = False
    if is_empty:
        printed_last = log.printed_last(chosen) if rank is None else None  # Ray keeps the driver's alone
        if printed_last is not None:
            write(DRIVER, printed_last)
        else:
            console().print(f"{why_empty(found, chosen, rank)}; next: {typed(f'seedbed describe {found.id}')}")
            return
    # Not into a file or a pipe that takes the log.
    then = f"seedbed describe {found.id}" if found.is_final else f"seedbed logs -f {found.id}"
    print(f"next: {typed(then)}", file=sys.stderr)
