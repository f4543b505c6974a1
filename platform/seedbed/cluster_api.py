"""The Ray of a registered cluster, asked from a machine that reaches it."""

import socket
from urllib.parse import urlsplit

from seedbed.errors import UsageError
from seedbed.ray_api import RayApi, read_token
from seedbed.registry.records import Cluster


def api_of(cluster: Cluster) -> RayApi:
    """Raises UsageError where the cluster listens to another machine alone, and where its token cannot be read here."""
    if is_of_another_machine(cluster):
        raise UsageError(
            f"the cluster {cluster.name} listens to the machine {cluster.host} alone ({cluster.address}), and this is"
            f" {socket.gethostname()}: a registry of several machines has one controller, and it must reach every"
            " cluster. Give that machine a registry of its own, or start its Ray on an address of the network and"
            " register that with `seedbed cluster up --address`"
        )
    return RayApi(cluster.address, read_token(cluster.token_file) if cluster.token_file else None)


def cure_of_silence(cluster: Cluster) -> str:
    """The command that follows where it does not answer: a cluster of this machine can be mended from here."""
    host = urlsplit(cluster.address).hostname or ""
    is_here = (host == "localhost" or host.startswith("127.")) and not is_of_another_machine(cluster)
    return "seedbed cluster up" if is_here else "seedbed cluster status"


def is_of_another_machine(cluster: Cluster) -> bool:
    """Whether its address means something else here."""
    return cluster.host not in (None, socket.gethostname())
