"""What commands share: where store, state and registry are, `--json`, `--set`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.defaults import DEFAULT_STATE, DEFAULT_STORE

if TYPE_CHECKING:
    from seedbed.registry.registry import Registry
    from seedbed.state import StateDirectory
    from seedbed.store import Store

_STORE_HELP = "Where artifacts are kept: a folder, or a URL such as s3://bucket/prefix."
_STATE_HELP = "The local folder for locks, logs and metrics on their way."
_REGISTRY_HELP = (
    "The database of jobs and events: sqlite:///PATH or postgresql://USER@HOST/DATABASE. A password stays out of sight "
    "in SEEDBED_REGISTRY, PGPASSWORD or ~/.pgpass."
)


@dataclass
class Places:
    """Store, state directory and registry of this command line; what stands after the command wins over what stands
    before."""

    store: str = DEFAULT_STORE
    state: str = DEFAULT_STATE
    registry: str | None = None  # URL; None for the one in the state directory

    def open_store(self) -> "Store":
        from seedbed.store import Store

        return Store(self.store)

    def state_directory(self) -> "StateDirectory":
        from seedbed.state import StateDirectory

        return StateDirectory(self.state)

    def open_registry(self) -> "Registry":
        from seedbed.registry.database import open_registry

        return open_registry(self.registry, self.state_directory())


def places(context: typer.Context, store: str | None, state: str | None, registry: str | None = None) -> Places:
    """The places that the whole command line names; None stands for an option that was not given."""
    chosen = context.ensure_object(Places)
    chosen.store = store or chosen.store
    chosen.state = state or chosen.state
    chosen.registry = registry or chosen.registry
    return chosen


# Before the command: only here the environment counts, or it would win over what is typed here.
RootStoreOption = Annotated[
    str | None, typer.Option("--store", envvar="SEEDBED_STORE", help=f"{_STORE_HELP} Default: {DEFAULT_STORE}")
]
RootStateOption = Annotated[
    str | None, typer.Option("--state", envvar="SEEDBED_STATE", help=f"{_STATE_HELP} Default: {DEFAULT_STATE}")
]
RootRegistryOption = Annotated[
    str | None,
    typer.Option(
        "--registry",
        envvar="SEEDBED_REGISTRY",
        help=f"{_REGISTRY_HELP} Default: SQLite in the state directory.",
    ),
]

# After the command.
StoreOption = Annotated[str | None, typer.Option("--store", help=_STORE_HELP)]
StateOption = Annotated[str | None, typer.Option("--state", help=_STATE_HELP)]
RegistryOption = Annotated[str | None, typer.Option("--registry", help=_REGISTRY_HELP)]

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
RunFileArgument = Annotated[str, typer.Argument(metavar="RUN.yaml", help="The run file.", show_default=False)]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="a.b=c", help="Put a value in place of the run file's; may stand several times."),
]
