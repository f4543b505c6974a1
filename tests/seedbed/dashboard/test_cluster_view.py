from dataclasses import replace

import pytest

from seedbed.dashboard.cluster_view import ClusterView, Use, cluster_state, uses
from seedbed.dashboard.rows import Row
from seedbed.dashboard.seen_state import SeenState
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState

NOW = 1000.0
CLUSTER = Cluster("local", "http://h:8265", "h:6379", ClusterState.UP, heard_at=NOW - 2)


@pytest.mark.parametrize(
    ("changes", "state", "tone"),
    [
        ({}, "up", "good"),
        ({"heard_at": NOW - 31}, "silent", "warn"),
        ({"heard_at": None}, "not heard", "warn"),
        ({"state": ClusterState.UNREACHABLE}, "unreachable", "bad"),
        ({"state": ClusterState.DOWN, "heard_at": NOW - 9999}, "down", "idle"),
    ],
)
def test_a_cluster_is_called_up_only_while_it_is_heard(changes, state, tone):
    seen = cluster_state(replace(CLUSTER, **changes), NOW)
    assert (seen.state, seen.tone) == (state, tone)


def test_a_disk_that_is_nearly_full_is_worth_a_look_and_reserved_cpus_are_not():
    assert Use("Disk", 91.0, 100.0, is_bytes=True).is_nearly_full
    assert not Use("Disk", 90.0, 100.0, is_bytes=True).is_nearly_full
    assert not Use("CPUs reserved", 8.0, 8.0).is_nearly_full


def test_what_living_nodes_have_is_added_up():
    nodes = [
        {"resources_total": {"CPU": 8.0}, "resources_used": {"CPU": 3.0}, "memory_total_bytes": 10},
        {"resources_total": {"CPU": 4.0}, "resources_used": {}, "memory_total_bytes": None},
    ]
    assert uses(nodes) == [Use("CPUs reserved", 3.0, 12.0), Use("Memory", 0, 10, is_bytes=True)]


def test_nodes_jobs_and_a_silent_controller_are_shown(site):
    node = {
        "id": "ab" * 14, "address": "10.0.0.4", "hostname": "node-a", "alive": False, "is_head": True,
        "reason": "<b>health check failed</b>", "resources_total": {"CPU": 8.0}, "resources_used": {}, "gpus": [],
        "cpu_percent": None, "memory_total_bytes": None, "memory_used_bytes": None, "disk_total_bytes": None,
        "disk_used_bytes": None,
    }  # fmt: skip
    kept = replace(CLUSTER, snapshot={"nodes": [node]}, controller={"at": 5.0, "pid": 7, "host": "h"})
    site.registry.save_cluster(kept, reason="test", actor="test")
    site.look()
    page = site.get("/cluster")
    assert "node-a" in page
    assert "&lt;b&gt;health check failed&lt;/b&gt;" in page
    assert "Its controller says nothing: nothing starts, nothing is followed" in page
    assert '<span class="badge warn">silent</span>' in page
    assert "0 of 1 nodes alive" in site.get("/")


def test_without_a_cluster_the_page_says_how_to_get_one(site):
    site.look()
    assert "seedbed cluster up" in site.get("/cluster")


def test_a_node_shows_what_each_job_has_on_it():
    beat = {"ray_node": "a", "work_on": {"a": {"ranks": 1}, "b": {"ranks": 2, "units": 1}}}
    row = Row("r", "r-1", "/s", SeenState("running", "live"), 0.0, None, None, beat)
    here = SeenState("up", "good")
    view = ClusterView(CLUSTER, here, here, [], [], [row, replace(row, heartbeat={})], [])
    assert [[told for _, told in view.work_on(node)] for node in "abc"] == [["driver, 1 rank"], ["2 ranks, 1 unit"], []]
