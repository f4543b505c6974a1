"""`seedbed describe`."""

from typing import TYPE_CHECKING

import typer

from seedbed.cli.job_printing import JobArgument
from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places
from seedbed.programs import typed

if TYPE_CHECKING:
    from seedbed.job_description import JobDescription


def describe(
    context: typer.Context,
    job: JobArgument,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """All that is known of a job: plan, budget, attempts, failures, events, where it runs, what to do next."""
    from seedbed.cli.job_printing import print_silence
    from seedbed.cli.printing import print_json
    from seedbed.job_description import describe as look_up

    opened = places(context, None, state, registry).open_registry()
    found = look_up(opened, opened.find_job(job))
    print_silence(opened)
    if as_json:
        print_json(found.to_json())
    else:
        _print(found)


def _print(found: "JobDescription") -> None:
    from seedbed.cli.printing import console, plain_table
    from seedbed.job_description import NUM_EVENTS, lines, moment

    out = console()
    about = plain_table("", "")
    about.show_header = False
    for what, value in lines(found):
        about.add_row(what, value)
    out.print(about)
    if found.attempts:
        table = plain_table("attempt", "state", "started", "ended", "exit", "failure", "reason", right=("exit",))
        for attempt in found.attempts:
            code = "" if attempt.exit_code is None else str(attempt.exit_code)
            times = moment(attempt.started_at), moment(attempt.ended_at)
            failure = (attempt.failure or "").replace("_", " ")
            table.add_row(str(attempt.number), attempt.state, *times, code, failure, attempt.reason)
        out.print()
        out.print(table)
    for alarm in found.alarms:
        out.print(f"alarm since {moment(alarm.raised_at)} ({alarm.level}): {alarm.message}", soft_wrap=True)
    is_cut = len(found.events) == NUM_EVENTS
    every = f", the newest {NUM_EVENTS}; all: {typed(f'seedbed events {found.job.id}')}" if is_cut else ""
    out.print(f"\nevents{every}", soft_wrap=True)
    for event in found.events:
        change = f" {event.from_state or 'new'} -> {event.to_state}" if event.to_state else ""
        out.print(f"  {moment(event.at)}  {event.subject}{change}  [{event.actor}] {event.reason}", soft_wrap=True)
    out.print(f"\nnext: {found.next_command(typed)}", soft_wrap=True)
