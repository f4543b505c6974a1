import socket

import pytest

from seedbed.tracking.place import is_server, silent_servers


@pytest.mark.parametrize(
    ("uri", "is_one"),
    [
        ("http://mlflow:5000", True),
        ("HTTPS://mlflow", True),
        ("javascript:alert(1)", False),
        ("httpx://mlflow", False),
        ("sqlite:///m.db", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_web_are_servers(uri, is_one):
    assert is_server(uri) == is_one


def test_who_listens_is_not_silent_and_an_address_without_a_true_port_is():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = f"HTTP://127.0.0.1:{listening.getsockname()[1]}"
        assert silent_servers([here, "http://127.0.0.1:abc", None, "sqlite:////m.db"]) == ["http://127.0.0.1:abc"]
