"""`seedbed dashboard`."""

from pathlib import Path
from typing import Annotated

import typer

from seedbed.cli.options import RegistryOption, StateOption, places


def dashboard(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where it listens; another than this machine's own needs --open.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8780,
    is_open: Annotated[bool, typer.Option("--open", help="Let other machines in: they need the token.")] = False,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate (PEM).", exists=True)] = None,
    key: Annotated[Path | None, typer.Option(help="Its key (PEM).", exists=True)] = None,
    store: Annotated[
        list[str] | None, typer.Option("--store", help="A store to watch: a folder or URL; may stand several times.")
    ] = None,
    state: StateOption = None,
    registry: RegistryOption = None,
) -> None:
    """Watch runs in a browser: what is running, what became of every page, how the model learns."""
    from seedbed.dashboard.server import serve
    from seedbed.store import Store

    here = places(context, None, state, registry)
    stores = [Store(url) for url in store or [here.store]]
    serve(
        here.open_registry(),
        stores,
        here.state_directory(),
        host=host,
        port=port,
        is_open=is_open,
        certificate=certificate,
        key=key,
    )
