"""`seedbed gc`."""

import sys
from typing import Annotated

import typer

from seedbed.cli import completion
from seedbed.cli.options import JsonOption, RegistryOption, StateOption, StoreOption, places


def gc(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="Forget this run too, with what it alone reaches.", autocompletion=completion.runs
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    registry: RegistryOption = None,
    store: StoreOption = None,
    state: StateOption = None,
) -> None:
    """Remove from the store what no run reaches, and bundles that no job needs; shows first what would go."""
    from dataclasses import asdict

    from seedbed.cli.printing import console, plain_table, print_json
    from seedbed.garbage import collect, find_garbage
    from seedbed.units import num_bytes

    here = places(context, store, state, registry)
    opened, known = here.open_store(), here.open_registry()
    directory, forgotten = here.state_directory(), tuple(forget or ())
    jobs = known.jobs(limit=None)
    if as_json and not dry_run:
        garbage = collect(opened, directory, forgotten, jobs)
    else:
        garbage = find_garbage(opened, directory, forgotten, jobs)
    size = sum(item.num_bytes for item in garbage)
    if as_json:
        print_json({"garbage": [asdict(item) for item in garbage], "num_bytes": size, "removed": not dry_run})
        return
    table = plain_table("path", "why", "bytes", right=("bytes",))
    for item in garbage:
        table.add_row(
            str(directory.root / item.path) if item.in_state else item.path, item.why, num_bytes(item.num_bytes)
        )
    console().print(table if garbage else "nothing to remove")
    if dry_run or not garbage:
        return
    if sys.stdin.isatty() and not yes:
        typer.confirm(f"remove {len(garbage)} things, {num_bytes(size)}?", abort=True)
    removed = collect(opened, directory, forgotten, known.jobs(limit=None))
    console().print(f"removed {len(removed)} things, {num_bytes(sum(item.num_bytes for item in removed))}")
