"""Whether the Ray that a driver is connected to lets everybody in."""

import os

from seedbed.errors import InfrastructureError, UsageError

TIMEOUT_S = 10.0


def require_token_auth(gcs_address: str) -> None:
    """Ask Ray's head at `gcs_address` (host:port) which nodes there are, without a token.

    A driver's own RAY_AUTH_MODE does not tell: a head that was started without it takes drivers with a token as well.
    Raises UsageError where the head answers, InfrastructureError where it says nothing.
    """
    import grpc

    # A channel of its own: Ray's `init_grpc_channel` puts the token into what it sends.
    with grpc.insecure_channel(gcs_address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        list_nodes = channel.unary_unary("/ray.rpc.NodeInfoGcsService/GetAllNodeInfo")
        try:
            list_nodes(b"", timeout=TIMEOUT_S)  # a request without fields is no bytes
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                return
            if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
                return  # it talks to nobody without a certificate
            raise InfrastructureError(
                f"the Ray at {gcs_address} took this driver and then did not answer: {error.code().name.lower()},"
                f" {error.details()}"
            ) from error
    raise UsageError(
        f"cluster.address: the Ray at {gcs_address} is open to everybody on its network: it answers without a token,"
        " and whoever reaches it runs what he likes there, with this run's credentials. Start its nodes, and this"
        " driver, with RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH=FILE, in each FILE the same token"
        " (`ray get-auth-token --generate`), mode 0600; `seedbed cluster up` starts such a Ray on this machine"
    )
