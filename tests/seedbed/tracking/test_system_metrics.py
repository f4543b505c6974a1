import time

from seedbed.tracking import journal, metrics
from seedbed.tracking.system_metrics import Machine, SystemMonitor, gpu_values, point_step, sample, sample_values


def test_the_machine_is_looked_at_until_the_end(tmp_path):
    spool = tmp_path / "system.jsonl"
    monitor = SystemMonitor(spool, 0.05)
    monitor.start()
    while len(samples := [line for line, _ in journal.read_from(spool, 0)]) < 2:
        time.sleep(0.01)
    monitor.stop()
    declared = {metric.name.removeprefix("system/") for metric in metrics.SYSTEM if "{n" not in metric.name}
    assert {name for name in samples[-1] if not name.startswith("gpu_")} == declared | {"time"}
    assert 0 < samples[-1]["system_memory_usage_percentage"] <= 100
    assert samples[0]["time"] < samples[1]["time"]
    size = spool.stat().st_size
    time.sleep(0.2)
    assert spool.stat().st_size == size


def test_what_nvidia_smi_says_becomes_metrics_and_what_it_does_not_know_none():
    """Two lines as nvidia-smi prints them with --format=csv,noheader,nounits; memory is in MiB."""
    assert dict(gpu_values("37, 1024, 250.31\n0, 3, [N/A]\n")) == {
        "gpu_0_utilization_percentage": 37.0,
        "gpu_0_memory_usage_megabytes": 1073.7,
        "gpu_0_power_usage_watts": 250.3,
        "gpu_1_utilization_percentage": 0.0,
        "gpu_1_memory_usage_megabytes": 3.1,
    }
    assert dict(gpu_values("")) == {}


def test_another_machine_is_named_by_its_address(tmp_path):
    values = Machine(tmp_path).look()
    assert dict(sample_values(sample(values))) == {f"system/{name}": value for name, value in values.items()}
    told = dict(sample_values(sample(values, "10.0.0.2")))
    assert told["system/10.0.0.2/disk_usage_percentage"] == values["disk_usage_percentage"]
    assert len(told) == len(values)


def test_a_sample_stands_at_the_seconds_since_the_run_began():
    assert point_step({"time": 1012.9}, 1000.0) == 12
    assert point_step({"time": 999.0}, 1000.0) == 0
