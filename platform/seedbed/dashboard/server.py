"""`seedbed dashboard`: where it listens, and the link that opens it."""

import json
import os
import socket
from pathlib import Path

import psutil
import uvicorn

from seedbed.dashboard.app import make_app
from seedbed.dashboard.login import TOKEN_FILE, dashboard_token, login_url
from seedbed.dashboard.watch import Watch
from seedbed.errors import UsageError
from seedbed.registry.registry import Registry
from seedbed.state import StateDirectory
from seedbed.store import Store

RUNNING_FILE = "dashboard/running.json"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHUTDOWN_S = 2


def serve(
    registry: Registry,
    stores: list[Store],
    state: StateDirectory,
    *,
    host: str,
    port: int,
    is_open: bool,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve until a signal ends it. Raises UsageError where it may not or cannot listen there."""
    if host not in LOOPBACK and not is_open:
        raise UsageError(
            f"--host {host} lets other machines in: whoever reaches this machine may try the token, and without a "
            "certificate token and data travel readable. Add --open to do that all the same; or stay on 127.0.0.1 and "
            f"reach it through `ssh -L {port}:127.0.0.1:{port} THIS-MACHINE`"
        )
    if (certificate is None) != (key is None):
        raise UsageError("TLS takes both: --certificate FILE and --key FILE")
    token = dashboard_token(state)
    try:
        listening = _listen(host, port)
    except UsageError as error:
        raise UsageError(f"{error}{_ours(state, port, token)}") from error
    scheme = "http" if certificate is None else "https"
    port = listening.getsockname()[1]
    base = f"{scheme}://{_written(host if host in LOOPBACK else socket.gethostname())}:{port}"
    app = make_app(Watch(registry, stores, state), token, _names(host), port, is_tls=certificate is not None)
    if host not in LOOPBACK or registry.is_of_this_machine:  # one that only its own machine reaches is not the team's
        registry.save_dashboard_url(base)
    _note_running(state, port, base)
    print(f"dashboard: {base}/  (registry {registry.name})")
    print(f"log in with this link, or with the token in {state.root / TOKEN_FILE}:")
    print(f"  {login_url(base, token)}", flush=True)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio asks for no delay by it
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()  # now: who follows the link at once waits, and is not refused
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; take another --port, or 0 for any free one"
        ) from error
    return listening


def _note_running(state: StateDirectory, port: int, base: str) -> None:
    """For a second one that finds the port taken."""
    started = psutil.Process().create_time()
    state.write(RUNNING_FILE, json.dumps({"pid": os.getpid(), "started": started, "port": port, "base": base}))


def _ours(state: StateDirectory, port: int, token: str) -> str:
    """The link of the dashboard that has the port, where this state directory's is at it; else nothing. It goes by what
    that one has written down: whoever else listens there is not shown the token."""
    try:
        running = json.loads((state.root / RUNNING_FILE).read_text())
        process = psutil.Process(running["pid"])
        if running["port"] != port or process.create_time() != running["started"]:
            return ""
        link = login_url(running["base"], token)
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return ""
    return f". It is the dashboard of this state directory (process {process.pid}); log in to it with this link: {link}"


def _names(host: str) -> frozenset[str]:
    """What browsers may call this server: itself, and from the network this machine's names and addresses."""
    names = {_written(name) for name in LOOPBACK}
    if host in LOOPBACK:
        return frozenset(names)
    addresses = [address.address for found in psutil.net_if_addrs().values() for address in found]
    mine = {host, socket.gethostname(), socket.getfqdn(), *(address.partition("%")[0] for address in addresses)}
    return frozenset(names | {_written(name).lower() for name in mine})


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
