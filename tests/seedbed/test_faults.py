import subprocess
import sys

import pytest

from seedbed import faults


def test_without_the_variable_nothing_happens(monkeypatch):
    monkeypatch.delenv(faults.FAULT, raising=False)
    faults.point("anywhere")


def test_only_the_named_point_breaks(monkeypatch):
    monkeypatch.setenv(faults.FAULT, "step.2=raise")
    faults.point("step.1")
    faults.point("step.22")
    with pytest.raises(faults.InjectedFault, match=r"step\.2"):
        faults.point("step.2")


def test_a_named_folder_makes_each_point_happen_once(monkeypatch, tmp_path):
    monkeypatch.setenv(faults.FAULT, "here=raise,there=raise")
    monkeypatch.setenv(faults.ONCE, str(tmp_path / "done"))
    for name in ("here", "there"):
        with pytest.raises(faults.InjectedFault, match=name):
            faults.point(name)
        faults.point(name)
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["here", "there"]


def test_a_point_kills_by_default(tmp_path):
    code = "from seedbed import faults; faults.point('here'); print('alive')"
    env = {faults.FAULT: "here", faults.ONCE: str(tmp_path / "done"), "PYTHONPATH": ":".join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stdout) == (-9, "")
    again = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (0, "alive\n")
