"""What a rank loads until it has trained to the end."""

import pytest

pytestmark = pytest.mark.slow

UNUSED = ("mlflow", "pandas", "sklearn", "torch._inductor.compile_fx")


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param({}, id="ZeRO-1", marks=pytest.mark.thorough),
        pytest.param({"zero_stage": 0}, id="ZeRO-0", marks=pytest.mark.thorough),
        pytest.param({"zero_stage": 3}, id="ZeRO-3"),
        pytest.param({"precision": "bf16", "activation_checkpointing": True}, id="bf16, recomputed"),
    ],
)
def test_a_rank_does_not_load_what_it_never_uses(ray_session, make_task, layout):
    import ray

    from jobs.pretrain import attempt

    def loaded(task, token):
        import os
        import sys

        os.environ["DS_ACCELERATOR"] = "cpu"
        from jobs.pretrain.channel import Channel
        from jobs.pretrain.imports import load_deepspeed
        from jobs.pretrain.rank import free_address, join_group

        join_group(free_address(), 0, 1, "cpu", hang_timeout_s=300)
        load_deepspeed()
        from jobs.pretrain.worker import train_rank

        step = train_rank(task, token, Channel())
        found = [name for name in UNUSED if name in sys.modules]
        import mlflow  # who wants it later has it

        return step, found, mlflow.__name__

    task = make_task("alone", num_steps=3, **layout)
    # A process of its own: an idle one may have loaded all of these; it is given only to tasks with its environment.
    own = {"env_vars": {"SEEDBED_TEST_OF": task.store_url}}
    told = ray.get(ray.remote(num_cpus=0, max_calls=1, runtime_env=own)(loaded).remote(task, attempt.begin(task)))
    assert told == (3, [], "mlflow")
