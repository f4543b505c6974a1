import time

import pytest

from jobs.other_machines import OtherMachines
from seedbed.tracking import journal

pytestmark = pytest.mark.slow


@pytest.fixture
def from_elsewhere(ray_session, monkeypatch):
    """The driver as if it were on a machine that the Ray of the tests has not: its only one is another."""
    import ray

    address = ray.util.get_node_ip_address()
    monkeypatch.setattr(ray.util, "get_node_ip_address", lambda: "192.0.2.1")
    return address


def lines_of(spool, number):
    until = time.monotonic() + 60
    while len(found := [line for line, _ in journal.read_from(spool, 0)]) < number:
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def test_another_machine_is_looked_at_until_the_end(from_elsewhere, tmp_path):
    spool = tmp_path / "system.jsonl"
    machines = OtherMachines(spool, 0.1)
    machines.start()
    first, second, *_ = lines_of(spool, 2)
    machines.stop()
    assert (first["node"], second["node"]) == (from_elsewhere, from_elsewhere)
    assert first["time"] < second["time"]
    assert 0 < first["system_memory_usage_percentage"] <= 100
    size = spool.stat().st_size
    time.sleep(0.3)
    assert spool.stat().st_size == size


def test_one_whose_process_is_gone_is_met_anew(from_elsewhere, tmp_path):
    import ray

    spool = tmp_path / "system.jsonl"
    machines = OtherMachines(spool, 3600)
    machines.look()
    [actor] = machines._actors.values()
    ray.kill(actor)
    until = time.monotonic() + 60
    while not spool.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
        machines.look()
    assert machines._actors[from_elsewhere] is not actor


def test_where_it_was_never_started_there_is_nothing_to_stop(tmp_path):
    spool = tmp_path / "system.jsonl"
    machines = OtherMachines(spool, 0.01)
    machines.stop()  # a cluster that cannot do the run is refused before
    machines.start()
    time.sleep(0.1)
    assert not spool.exists()  # it has ended before it began


def test_the_drivers_own_machine_is_none_of_the_others(ray_session, tmp_path):
    machines = OtherMachines(tmp_path / "system.jsonl", 3600)
    machines.look()
    assert machines._actors == {}
