"""What a run becomes when it is submitted: its launch on a cluster, and whether the cluster can see what it needs."""

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from seedbed.errors import UsageError
from seedbed.launch import Launch
from seedbed.plan import Plan
from seedbed.registry.network_mounts import network_file_system
from seedbed.store import Store


def submitted_launch(
    plan: Plan,
    store: Store,
    *,
    until: str | None = None,
    over_budget: str | None = None,
    project: str | None = None,
) -> Launch:
    """The launch that goes into the bundle: what of it may change between two attempts is not in there, but given to
    each (`placed_tracking`). The project names the experiment where the run file does not.
    """
    tracking = plan.run.tracking
    changed = tracking.model_copy(update={"experiment": tracking.experiment or project})
    return Launch(
        store_url=store.place,
        state_root="",
        run_id=plan.run_id,
        until=until,
        over_budget=over_budget,
        cluster=plan.run.cluster.model_dump(mode="json"),
        tracking=changed.model_dump(mode="json"),
    )


def placed_tracking(tracking: dict[str, Any], mlflow_uri: str | None, dashboard_url: str | None) -> dict[str, Any]:
    """A submitted launch's tracking for one attempt: `mlflow_uri` is the cluster's server as it is now, and
    `dashboard_url` the newest dashboard of the registry.

    The run file's own words win. Without a server tracking is off, as a file on some node is nobody's.
    """
    uri = tracking.get("mlflow_uri") or mlflow_uri
    if uri is None or uri.startswith("sqlite:"):
        return tracking | {"enabled": False}
    return tracking | {"mlflow_uri": uri, "dashboard_url": tracking.get("dashboard_url") or dashboard_url}


def check_reachable(plan: Plan, store: Store, address: str) -> None:
    """Raises UsageError where store or crawl lie in a folder of this machine alone and the cluster is elsewhere.

    `address` is the cluster's job server, or its machine's name. A folder on a network's file system may be there as
    well; each node looks when the job starts.
    """
    host = urlsplit(address if "://" in address else f"http://{address}").hostname or ""
    if is_this_machine(host):
        return
    elsewhere = f"the cluster at {host} does not see it"
    folder = store.local_path("")
    if folder is not None and _is_of_this_machine(folder):
        raise UsageError(
            f"the store {store.url} is a folder of this machine, and {elsewhere}: take a store that both see"
            " (--store s3://..., or a folder of a network's file system)"
        )
    for file in plan.sources:
        if Path(file.url).is_absolute() and _is_of_this_machine(Path(file.url)):
            raise UsageError(
                f"source {file.source}: {file.url} is a file of this machine, and {elsewhere}: crawl files are not"
                " sent along; put them where all nodes read them, and name that in data.sources"
            )
    for path in plan.lists:
        if Path(path).is_absolute() and _is_of_this_machine(Path(path)):
            raise UsageError(
                f"{path}, which the run file names, is a file of this machine, and {elsewhere}: put it where all nodes"
                " read it, and name that in the run file"
            )


def _is_of_this_machine(path: Path) -> bool:
    return network_file_system(path) is None


def is_this_machine(host: str) -> bool:
    """Whether the name or address `host` leads to this machine."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    own = {address.address for addresses in psutil.net_if_addrs().values() for address in addresses}
    return bool(found & own) or any(str(address).startswith("127.") for address in found)
