import pytest

from seedbed.errors import UsageError
from seedbed.ray_node import Node
from seedbed.reservation import Reservation, reservation, reserve
from seedbed.runfile.cluster import ClusterConfig


def node(cpus: float, gpus: float = 0.0, alive: bool = True) -> Node:
    total = {"CPU": cpus, "GPU": gpus}
    return Node("id", "127.0.0.1", "host", alive, False, None, total, {}, None, None, None, None, None, ())


@pytest.mark.parametrize(
    ("keys", "cpus", "gpus"),
    [
        ({"data_workers": 8, "training_ranks": 2}, 8, 0),
        ({"data_workers": 2, "training_ranks": 2, "threads_per_rank": 3}, 6, 0),
        ({"data_workers": 4, "training_ranks": 2, "device": "cuda"}, 4, 2),
    ],
)
def test_the_larger_of_data_steps_and_training_is_reserved(keys, cpus, gpus):
    assert reservation(ClusterConfig(**keys)) == Reservation(cpus, gpus)
    assert reserve(ClusterConfig(**keys), "local", [node(8), node(8, gpus=2)]) == Reservation(cpus, gpus)


@pytest.mark.parametrize(
    ("keys", "nodes", "said"),
    [
        (
            {"data_workers": 8},
            [node(4)],
            "cluster.data_workers 8: that many CPUs at once, but local has 1 node with 4 CPUs and 0 GPUs: --set"
            " cluster.data_workers=4",
        ),
        (
            {"training_ranks": 4, "threads_per_rank": 4},
            [node(4), node(4), node(64, alive=False)],
            "cluster.training_ranks: 4 ranks x 4 threads = 16 CPUs, but local has 2 nodes with 8 CPUs and 0 GPUs: take"
            " fewer, or a larger cluster",
        ),
        (
            {"training_ranks": 1, "threads_per_rank": 6},
            [node(4), node(4)],
            "cluster.threads_per_rank 6: a rank is on one node, and the largest of local has 4 CPUs",
        ),
        (
            {"training_ranks": 4, "device": "cuda"},
            [node(4, gpus=2)],
            "cluster.training_ranks: 4 ranks x 1 GPU = 4 GPUs, but local has 1 node with 4 CPUs and 2 GPUs: take fewer"
            " ranks",
        ),
    ],
)
def test_what_can_never_fit_is_refused_with_the_arithmetic(keys, nodes, said):
    with pytest.raises(UsageError) as refused:
        reserve(ClusterConfig(**keys), "local", nodes)
    assert str(refused.value) == said


def test_a_run_that_trains_on_fewer_ranks_reserves_what_there_is():
    config = ClusterConfig(data_workers=1, training_ranks=8, min_training_ranks=2, device="cuda")
    assert reserve(config, "local", [node(4, gpus=3)]) == Reservation(4, 3)
