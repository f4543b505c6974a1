"""`seedbed jobs`."""

from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places
from seedbed.programs import typed

if TYPE_CHECKING:
    from seedbed.job_table import JobRow


def jobs(
    context: typer.Context,
    project: Annotated[str | None, typer.Option("--project", help="Only this project's.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every job there ever was.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Without --all.")] = 20,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """Jobs that wait or run, then the newest that are over."""
    from seedbed.cli.job_printing import print_silence, print_silent_clusters, print_silent_mlflow
    from seedbed.cli.printing import console, print_json
    from seedbed.job_table import job_rows

    opened = places(context, None, state, registry).open_registry()
    rows = job_rows(opened, project=project, is_all=every, limit=limit)
    print_silence(opened)
    print_silent_clusters(opened, [row.job for row in rows])
    print_silent_mlflow(opened, [row.job for row in rows])
    if as_json:
        print_json({"jobs": [row.to_json() for row in rows]})
    elif not rows:
        console().print(f"no jobs yet; next: {typed('seedbed submit RUN.yaml')}")
    else:
        _print(rows)


def _print(rows: "list[JobRow]") -> None:
    import time

    from seedbed.cli.printing import console, plain_table
    from seedbed.job_table import changes, next_command, worth_a_look
    from seedbed.units import duration

    out, now = console(), time.time()
    right = ("id", "left", "cost", "attempts")
    table = plain_table("id", "run", "state", "step", "progress", "left", "cost", "attempts", "why", right=right)
    for row in rows:
        cost = f"{row.cost:.4g}" if row.cost is not None else ""
        if row.cost is None and row.device_hours is not None:
            cost = f"{row.device_hours:.3g} dev h"
        job = row.job
        run = "\n".join(filter(None, (job.run_id, changes(job))))
        cells = (str(job.id), run, job.state, row.step, row.progress, duration(row.seconds_left), cost)
        table.add_row(*cells, str(row.num_attempts), row.why(now))
    out.print(table)
    chosen = worth_a_look(rows)
    then = next_command(chosen.job, is_cluster_down=chosen.is_cluster_down, written=typed)
    out.print(f"next: {then}", soft_wrap=True)
