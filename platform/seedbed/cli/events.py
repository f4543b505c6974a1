"""`seedbed events`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.cli import completion
from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places
from seedbed.programs import typed

if TYPE_CHECKING:
    from seedbed.registry.records import Event
    from seedbed.registry.registry import Registry

POLL_S = 1.0


def events(
    context: typer.Context,
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="[JOB]",
            help="A job; or a subject: `cluster local`.",
            show_default=False,
            autocompletion=completion.jobs,
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest.")] = 50,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """What happened, to whom, by whom, and why. Events are never changed and never removed."""
    from dataclasses import asdict

    from seedbed.cli.job_printing import print_silence
    from seedbed.cli.printing import console, print_json
    from seedbed.errors import UsageError

    if follow and as_json:
        raise UsageError("--json prints one document, and --follow goes on: give one of the two")
    opened = places(context, None, state, registry).open_registry()
    subjects = _subjects(opened, job)
    found = opened.events(subjects, limit=limit, newest_first=True)[::-1]
    print_silence(opened)
    if as_json:
        print_json({"events": [asdict(event) for event in found]})
        return
    _print(found)
    if not follow:
        console().print("next: " + typed(f"seedbed describe {job}" if job and " " not in job else "seedbed jobs"))
        return
    last = found[-1].id if found else 0
    try:
        while True:
            time.sleep(POLL_S)
            new = opened.events(_subjects(opened, job), after_id=last)
            _print(new)
            last = new[-1].id if new else last
    except KeyboardInterrupt:
        return


def _subjects(registry: "Registry", text: str | None) -> list[str] | None:
    """A job with its attempts; a subject as it is named; all."""
    if text is None:
        return None
    if " " in text:
        return [text]
    job = registry.find_job(text)
    attempts = [f"attempt {job.id}.{attempt.number}" for attempt in registry.attempts(job.id)]
    return [f"job {job.id}", *attempts]


def _print(found: "list[Event]") -> None:
    from seedbed.cli.printing import console
    from seedbed.job_description import moment

    for event in found:
        change = f" {event.from_state or 'new'} -> {event.to_state}" if event.to_state else ""
        console().print(f"{moment(event.at)}  {event.subject}{change}  [{event.actor}] {event.reason}", soft_wrap=True)
