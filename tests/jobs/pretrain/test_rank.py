"""How ranks meet."""

import pytest

pytestmark = pytest.mark.slow


def test_collective_calls_outlast_the_hang_watch_in_every_group(ray_session):
    """Else a group gives up before the driver has taken the stacks of its ranks."""
    import ray

    def timeouts():
        import torch
        import torch.distributed as dist

        from jobs.pretrain.rank import free_address, join_group

        join_group(free_address(), 0, 1, "cpu", hang_timeout_s=5000)
        later = dist.new_group([0])  # as DeepSpeed makes its own
        groups = (dist.distributed_c10d._get_default_group(), later)
        return [group._get_backend(torch.device("cpu")).options._timeout.total_seconds() for group in groups]

    found = ray.get(ray.remote(num_cpus=0, max_calls=1)(timeouts).remote())  # in a process that no other test gets
    assert found == [5300.0, 5300.0]
