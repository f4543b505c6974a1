import time

import pytest

from jobs.whereabouts import Nodes

CPUS = {"a": {"CPU": 2.0}, "b": {"CPU": 4.0, "GPU": 1.0}, "head": {"memory": 1e9}}


@pytest.fixture
def nodes():
    """A cluster of two machines that work and a head that does not, as Ray told just now."""
    made = Nodes()
    made._resources, made._looked_at = dict(CPUS), time.monotonic() + 60
    return made


def test_the_node_with_most_cpus_left_gets_the_next_unit(nodes):
    chosen = []
    for _ in range(6):
        chosen.append(nodes.choose(chosen, 0))
    assert chosen == ["b", "b", "a", "b", "a", "b"]  # 4 against 2, 3 : 2, 2 : 2, 2 : 1, 1 : 1, 1 : 0


def test_a_unit_that_wants_a_gpu_goes_where_one_is(nodes):
    assert nodes.choose(["b"] * 9, 1) == "b"
    assert nodes.choose([], 2) is None  # Ray waits for a node that has them


def test_on_one_node_nothing_is_chosen(nodes):
    nodes._resources = {"a": {"CPU": 2.0}}
    assert nodes.choose([], 0) is None
    assert Nodes.strategy(None) == {}
