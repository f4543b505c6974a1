"""`seedbed cluster up`, `down`, `status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.cli.options import JsonOption, RegistryOption, StateOption, places
from seedbed.programs import typed

if TYPE_CHECKING:
    from seedbed.cluster_status import ClusterStatus

cluster = typer.Typer(no_args_is_help=True, help="A Ray that stays up, with MLflow and a controller.")

_GIVEN_OUT = "That Ray gives out. Default: as before, or all."


@cluster.command()
def up(
    context: typer.Context,
    name: Annotated[str | None, typer.Option("--name", help="Default: as before, local, or the host.")] = None,
    address: Annotated[
        str | None, typer.Option("--address", metavar="http://host:port", help="The job server of a Ray that is up.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="With --address: the file with its token, mode 0600.")
    ] = None,
    mlflow_uri: Annotated[str | None, typer.Option("--mlflow-uri", help="With --address: its runs' MLflow.")] = None,
    cpus: Annotated[int | None, typer.Option("--cpus", min=0, help=_GIVEN_OUT)] = None,
    gpus: Annotated[int | None, typer.Option("--gpus", min=0, help=_GIVEN_OUT)] = None,
    mlflow_store: Annotated[
        str | None,
        typer.Option(
            "--mlflow-store",
            metavar="URL",
            envvar="SEEDBED_MLFLOW_STORE",  # a command line with a password can be read by everybody on the machine
            help="MLflow's database. Default: as before, or SQLite.",
        ),
    ] = None,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """Start Ray, MLflow and the controller on this machine, or register a Ray that is up. Can be repeated: mends."""
    here = places(context, None, state, registry)
    opened = here.open_registry()
    if address is None:
        from seedbed.local_cluster import bring_up, default_name

        _refuse("--address, of a Ray that is up elsewhere", token_file=token_file, mlflow_uri=mlflow_uri)
        shown = name or default_name(here.state_directory(), opened)
        begun = bring_up(
            here.state_directory(),
            opened,
            here.registry,
            name=shown,
            cpus=cpus,
            gpus=gpus,
            mlflow_store=mlflow_store,
            say=_say,
        )
    else:
        from urllib.parse import urlsplit

        from seedbed.cluster_registration import register

        _refuse("a Ray that is started here, not with --address", cpus=cpus, gpus=gpus, mlflow_store=mlflow_store)
        shown = name or urlsplit(address).hostname or address
        begun = register(
            here.state_directory(),
            opened,
            here.registry,
            name=shown,
            address=address,
            token_file=token_file,
            mlflow_uri=mlflow_uri,
            say=_say,
        )
    _say(f"{shown} is up" if begun else f"{shown} was up already; nothing was changed")
    _say(f"next: {typed('seedbed cluster status')}")


def _refuse(belongs_to: str, **given: object) -> None:
    """Raises UsageError for an option that was given and goes with something else."""
    from seedbed.errors import UsageError

    for option, value in given.items():
        if value is not None:
            raise UsageError(f"--{option.replace('_', '-')} goes with {belongs_to}")


@cluster.command()
def down(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            help="One that was registered with --address, whose Ray is left alone, or one of a machine that is gone.",
        ),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for jobs to checkpoint.")] = False,
    registry: RegistryOption = None,
    state: StateOption = None,
) -> None:
    """End what `up` started on this machine; jobs are stopped at a checkpoint first."""
    from seedbed.cluster_api import is_of_another_machine
    from seedbed.cluster_record import read
    from seedbed.cluster_registration import forget
    from seedbed.local_cluster import take_down

    here = places(context, None, state, registry)
    opened = here.open_registry()
    local = read(here.state_directory())
    if name is not None and (local is None or local.name != name):
        ended, shown = forget(opened, name), name
    else:
        shown = (local.name if local else None) or "the controller of this machine"
        ended = take_down(here.state_directory(), opened, here.registry, now=now, say=_say)
        # Of a machine that was renamed, or is gone and left its state directory: the row would stay for ever.
        if any(row.name == name and is_of_another_machine(row) for row in opened.clusters()):
            ended = forget(opened, shown) or ended
    _say(f"{shown} is down" if ended else "nothing was up")
    _say(f"next: {typed('seedbed cluster up')}")


@cluster.command()
def status(
    context: typer.Context, as_json: JsonOption = False, registry: RegistryOption = None, state: StateOption = None
) -> None:
    """Say what is up, since when, and what each node has and uses. Leaves with 0 when all is up, else with 1."""
    from seedbed.cli.printing import console, print_json
    from seedbed.cluster_status import cluster_status

    here = places(context, None, state, registry)
    found = cluster_status(here.state_directory(), here.open_registry(), here.registry)
    if as_json:
        print_json({"clusters": [one.to_json() for one in found]})
    elif not found:
        console().print(f"no cluster is known here; next: {typed('seedbed cluster up')}")
    else:
        for one in found:
            _print(one)
    if not found or not all(one.is_up for one in found):
        raise typer.Exit(1)


def _print(one: "ClusterStatus") -> None:
    import time

    from seedbed.cli.printing import console, plain_table
    from seedbed.units import num_bytes

    out = console()
    out.print(one.name or "this machine", style="bold")
    parts = plain_table("part", "state", "since", "address")
    for part in one.parts:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(part.since)) if part.since else ""
        parts.add_row(part.name, part.state, since, part.address)
    out.print(parts)
    if one.nodes:
        nodes = plain_table("node", "state", "CPUs", "GPUs", "memory", "disk", right=("CPUs", "GPUs", "memory", "disk"))
        for node in one.nodes:
            used, total = node.resources_used, node.resources_total
            nodes.add_row(
                f"{node.hostname} {node.address}" + (" (head)" if node.is_head else ""),
                "alive" if node.alive else f"dead: {node.reason or 'no reason given'}",
                *(f"{used.get(kind, 0):g} of {total.get(kind, 0):g}" for kind in ("CPU", "GPU")),
                *(
                    f"{num_bytes(in_use)} of {num_bytes(size)}" if size and in_use is not None else "not measured yet"
                    for in_use, size in (
                        (node.memory_used_bytes, node.memory_total_bytes),
                        (node.disk_used_bytes, node.disk_total_bytes),
                    )
                ),
            )
        out.print(nodes)
    for part in one.parts:
        if part.found:
            out.print(f"{part.name}: {part.found}; next: {typed(part.cure)}", soft_wrap=True)


def _say(line: str) -> None:
    from seedbed.cli.printing import console

    console().print(line, soft_wrap=True)
