"""`seedbed submit`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.cli import completion
from seedbed.cli.options import (
    JsonOption,
    RegistryOption,
    RunFileArgument,
    SetOption,
    StateOption,
    StoreOption,
    places,
)
from seedbed.programs import typed

if TYPE_CHECKING:
    from seedbed.registry.records import Job
    from seedbed.submitting import Draft


def submit(
    context: typer.Context,
    run_file: RunFileArgument,
    overrides: SetOption = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", envvar="SEEDBED_CLUSTER", help="Its name. Default: the only one that is up."),
    ] = None,
    address: Annotated[
        str | None, typer.Option("--address", metavar="http://host:port", help="The cluster with this job server.")
    ] = None,
    project: Annotated[
        str, typer.Option("--project", envvar="SEEDBED_PROJECT", help="MLflow's experiment, and what lists go by.")
    ] = "default",
    priority: Annotated[int, typer.Option("--priority", help="Higher starts first.")] = 0,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            metavar="RUN",
            help="Start when this job, or this run's, is finished.",
            autocompletion=completion.jobs,
        ),
    ] = None,
    retries: Annotated[
        int, typer.Option("--retries", min=0, help="New tries after faults of machines; never of the run itself.")
    ] = 3,
    until: Annotated[
        str | None, typer.Option(metavar="STEP", help="Stop after this step.", autocompletion=completion.steps)
    ] = None,
    over_budget: Annotated[
        str | None, typer.Option(metavar="REASON", help="Start a run that the budget refuses; the reason is kept.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show what it prints, to its end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Hand a run over to a cluster that is up. Plan and budget first; then it waits its turn in the queue.

    Leaves with 0, with 2 where the run file is wrong or the cluster can never hold it, 3 where the budget refuses it;
    with --follow as the job does.
    """
    from seedbed import submitting
    from seedbed.cli.job_printing import follow_to_the_end, print_silence
    from seedbed.cli.plan import print_plan
    from seedbed.cli.printing import console, print_json
    from seedbed.errors import UsageError
    from seedbed.job_table import next_command
    from seedbed.login import login_name
    from seedbed.runfile.load import load_run

    if as_json and follow:
        raise UsageError("--json prints one document, and --follow what the job prints: give one of the two")
    here = places(context, store, state, registry)
    opened, directory, known = here.open_store(), here.state_directory(), here.open_registry()
    draft = submitting.draft(
        opened,
        known,
        load_run(run_file, overrides or ()),
        cluster=cluster,
        address=address,
        project=submitting.require_usable(project),
        after=after,
        until=until,
        over_budget=over_budget,
        overrides=overrides or (),
    )
    if not as_json:
        print_plan(draft.plan)
        _print_place(draft)
    if draft.known is None and not yes and not _agreed(as_json):
        raise typer.Exit(1)
    job, is_new = submitting.submit(
        draft, opened, directory, known, owner=login_name(), priority=priority, max_retries=retries
    )
    waits_for = draft.after.id if draft.after else None
    kept = [] if is_new else submitting.kept(job, priority=priority, max_retries=retries, after=waits_for)
    print_silence(known)
    if as_json:
        told = {"job": job.id, "run": job.run_id, "state": job.state, "new": is_new, "kept": kept}
        print_json(told | {"notes": draft.notes})
        return
    _print_job(job, is_new, kept)
    if follow:
        raise typer.Exit(follow_to_the_end(known, job))
    console().print(
        "next: " + (typed(f"seedbed logs -f {job.id}") if is_new else next_command(job, written=typed)), soft_wrap=True
    )


def _print_job(job: "Job", is_new: bool, kept: list[str]) -> None:
    from seedbed.cli.printing import console

    said = "submitted" if is_new else f"the same submission is there already, and it is {job.state}"
    console().print(f"job {job.id} ({job.run_id}): {said}", soft_wrap=True)
    if kept and not job.is_final:
        console().print(f"kept: {', '.join(kept)}; to change that: stop it, then submit it again", soft_wrap=True)


def _print_place(draft: "Draft") -> None:
    from seedbed.cli.printing import console

    reserved = draft.reserved
    out = console()
    gpus = f", {reserved.gpus:g} GPUs" if reserved.gpus else ""
    out.print(f"\ncluster {draft.cluster.name}: reserves {reserved.cpus:g} CPUs{gpus}; project {draft.project}")
    for note in draft.notes:
        out.print(f"  {note}", soft_wrap=True)


def _agreed(as_json: bool) -> bool:
    """Whether a person says yes. Raises UsageError where there is nobody to ask."""
    from seedbed.errors import UsageError

    if as_json or not sys.stdin.isatty():
        raise UsageError("nobody is at the terminal to answer `start? [Y/n]`: say --yes")
    return typer.confirm("start?", default=True)
