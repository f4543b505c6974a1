import os
import subprocess
import sys

import pytest

from seedbed.controller import lead
from seedbed.controller.lead import NAME, Lead
from seedbed.registry.database import open_registry
from seedbed.state import StateDirectory

HOLD = """
import sys, time
from seedbed.controller.lead import Lead
from seedbed.registry.database import open_registry
from seedbed.state import StateDirectory
print(Lead(open_registry(None, StateDirectory(sys.argv[1]))).renew(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def registry(tmp_path):
    opened = open_registry(None, StateDirectory(tmp_path))
    yield opened
    opened.close()


def test_one_leads_until_it_gives_up_or_is_killed(registry, tmp_path):
    mine = Lead(registry)
    assert mine.renew() and mine.renew()
    mine.give_up()
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None and other.stdout.readline() == "True\n"
        assert not mine.renew()
    finally:
        other.kill()
        other.wait()
    assert mine.renew()  # at once, and not when the time has run out


def test_another_machine_s_lead_runs_out_by_time_alone(registry):
    assert registry.lead(NAME, f"elsewhere/{lead._namespace()}/{os.getpid()}/1.00", seconds=30)
    assert not Lead(registry).renew()


def test_a_process_id_that_is_somebody_else_s_now_is_a_dead_holder(registry):
    host, namespace, pid, _ = lead._holder().split("/")
    assert registry.lead(NAME, f"{host}/{namespace}/{pid}/1", seconds=30)
    assert Lead(registry).renew()


def test_a_clock_that_is_set_makes_no_living_controller_dead(registry, monkeypatch):
    """`btime` of /proc/stat, which psutil reckons with, moves with the clock."""
    holder = lead._holder()
    create_time = lead.psutil.Process.create_time
    monkeypatch.setattr(lead.psutil.Process, "create_time", lambda self: create_time(self) + 3600)
    assert not lead.is_dead_here(holder)


def test_a_process_that_began_at_another_time_is_dead_and_one_told_in_another_way_is_left_to_its_lead():
    host, namespace, pid, ticks = lead._holder().split("/")
    assert lead.is_dead_here(f"{host}/{namespace}/{pid}/{int(ticks) - 1}")
    assert not lead.is_dead_here(f"{host}/{namespace}/{pid}/1764338400.25")
