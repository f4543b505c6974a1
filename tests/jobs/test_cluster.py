"""A Ray of a run's own that does not come up, in a process of its own: the tests' Ray is in this one."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import shutil, sys, tempfile
from pathlib import Path

import psutil
import ray
from ray._private.node import Node

from jobs.cluster import RayCluster
from seedbed.runfile.cluster import ClusterConfig
from seedbed.store import Store

folder, failures = sys.argv[1], int(sys.argv[2])
tempfile.tempdir = tempfile.mkdtemp(dir="/tmp")  # a socket's path is short
start, starts = Node.start_ray_processes, []


def too_slow(self):
    start(self)  # what it has started is there
    starts.append(self)
    if len(starts) <= failures:
        raise Exception("The current node timed out during startup.")


Node.start_ray_processes = too_slow
cluster = RayCluster(ClusterConfig(), Store(folder), [])
try:
    cluster.start()
    print("cpus", ray.cluster_resources()["CPU"])
except Exception as error:
    print(type(error).__name__, error)
names = [process.name() for process in psutil.Process().children(recursive=True)]
print("left", names.count("gcs_server"), names.count("raylet"))
cluster.stop()
shutil.rmtree(tempfile.tempdir)
"""


def outcome(folder, failures):
    command = [sys.executable, "-c", SCRIPT, str(folder), str(failures)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout.splitlines()


def test_a_ray_that_is_too_slow_is_started_once_more(tmp_path):
    assert outcome(tmp_path, failures=1) == ["cpus 2.0", "left 1 1"]


def test_a_ray_that_does_not_come_up_twice_is_told_and_leaves_nothing(tmp_path):
    told, left = outcome(tmp_path, failures=2)
    assert told.startswith("InfrastructureError Ray did not start, nor at a second try: The current node timed out")
    assert left == "left 0 0"
