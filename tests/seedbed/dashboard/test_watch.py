import time

from seedbed.registry.database import Database
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState


def alarms(site):
    site.watch.look_at_registry()
    return [(alarm.kind, alarm.subject) for alarm in site.watch.view().alarms]


def test_a_controller_that_is_silent_is_an_alarm_though_nobody_types_a_command(site):
    assert alarms(site) == []
    controller = {"host": "h", "pid": 1, "at": time.time() - 300}
    row = Cluster("local", "http://127.0.0.1:1", "127.0.0.1:2", ClusterState.UP, controller=controller)
    site.registry.save_cluster(row, reason="up", actor="ann")
    assert alarms(site) == [("controller_silent", "controller registry")]
    site.registry.update_cluster("local", controller=controller | {"at": time.time()})
    assert alarms(site) == []


def test_a_cluster_that_was_taken_down_needs_no_controller(site):
    row = Cluster("local", "http://127.0.0.1:1", "127.0.0.1:2", ClusterState.DOWN, controller={"at": 1.0})
    site.registry.save_cluster(row, reason="down", actor="ann")
    assert alarms(site) == []


def test_a_store_where_nothing_is_new_is_looked_at_without_a_transaction_that_writes(site, monkeypatch):
    site.record()
    site.look()
    written = []
    write = Database.write
    monkeypatch.setattr(Database, "write", lambda self: written.append(1) or write(self))
    site.look()
    assert written == []
