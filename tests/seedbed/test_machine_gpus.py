from dataclasses import replace

import pytest

from seedbed import machine_gpus
from seedbed.errors import UsageError
from seedbed.launch import start
from seedbed.machine_gpus import has_gpu, lack_of_gpu, require_gpu
from seedbed.plan import CACHED, make_plan
from seedbed.runfile.load import load_run
from seedbed.store import Store


@pytest.mark.parametrize(
    ("files", "environment", "found"),
    [
        (["null", "nvidiactl"], {}, False),  # the driver's own file is there without a device, too
        (["nvidia0"], {}, True),
        (["nvidia11"], {"CUDA_VISIBLE_DEVICES": "3"}, True),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": ""}, False),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": "-1"}, False),
        (["kfd"], {}, True),
    ],
)
def test_a_gpu_is_known_by_its_device_file(tmp_path, files, environment, found):
    for name in files:
        (tmp_path / name).touch()
    assert has_gpu(tmp_path, environment) is found


def test_a_training_on_gpus_is_refused_before_ray_starts_where_there_is_none(run_file, tmp_path, state, monkeypatch):
    store = Store(str(tmp_path / "store"))
    monkeypatch.setattr(machine_gpus, "has_gpu", lambda: False)

    def begin(*overrides, until=None):
        return start(store, state, str(run_file), ["cluster.device=cuda", *overrides], until, None)

    with pytest.raises(UsageError, match=r"this machine has no GPU .* take cluster.device: cpu, or submit it"):
        begin()
    with pytest.raises(UsageError, match="has no GPU"):
        begin(until="export")
    assert begin(until="shards")  # data steps need none
    assert begin("cluster.address=10.0.0.1:6379")
    monkeypatch.setattr(machine_gpus, "has_gpu", lambda: True)
    assert begin()


def test_a_plan_warns_of_it_and_one_for_cpus_does_not(run_file, tmp_path, monkeypatch):
    store = Store(str(tmp_path / "store"))
    monkeypatch.setattr(machine_gpus, "has_gpu", lambda: False)
    assert lack_of_gpu(make_plan(load_run(run_file), store)) is None
    on_gpus = lack_of_gpu(make_plan(load_run(run_file, ["cluster.device=cuda"]), store))
    assert on_gpus.startswith("cluster.device: cuda, but this machine has no GPU that programs may use")


def test_an_evaluation_on_gpus_that_is_all_there_is_to_do_is_refused_too(run_file, tmp_path, monkeypatch):
    """Ray would wait for a GPU without end."""
    monkeypatch.setattr(machine_gpus, "has_gpu", lambda: False)
    plan = make_plan(load_run(run_file, ["cluster.device=cuda"]), Store(str(tmp_path / "store")))
    trained = replace(plan, steps=tuple(as_cached(step, but=("evaluate",)) for step in plan.steps))
    assert lack_of_gpu(trained) is not None
    with pytest.raises(UsageError, match="has no GPU"):
        require_gpu(trained, until="evaluate")
    require_gpu(trained, until="pretrain")
    assert lack_of_gpu(replace(plan, steps=tuple(map(as_cached, plan.steps)))) is None


def as_cached(step, but=()):
    return step if step.kind in but else replace(step, state=CACHED)
