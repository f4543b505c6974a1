import json

from seedbed import runs
from seedbed.dashboard.curves_feed import CurvesFeed
from seedbed.lease import Leases
from seedbed.state import StateDirectory


def test_runs_that_share_a_training_have_their_own_facts(site):
    site.metrics({"step": 1, "time": 1.0, "loss": 3.0}, {"step": 2, "time": 2.0, "loss": 2.5})
    feed = CurvesFeed()
    told = [json.loads(feed.document(site.store, site.run_id, {"run": run})) for run in ("one", "other", "one")]
    assert [document["run"] for document in told] == ["one", "other", "one"]
    assert all(document["lines"]["loss"]["mean"] == [3.0, 2.5] for document in told)
    assert feed.loss(site.store, site.run_id, 10) == [(1, 3.0), (2, 2.5)]


def test_the_training_of_a_run_that_was_forgotten_has_its_curves_from_the_artifact(site):
    line = {"step": 1, "time": 1.0, "loss": 3.0}
    site.store.write("steps/pretrain-12ab/metrics.jsonl", f"{json.dumps(line)}\n".encode())
    told = json.loads(CurvesFeed().document(site.store, "gone-1", {"run": "gone-1"}, "steps/pretrain-12ab"))
    assert told["lines"]["loss"]["mean"] == [3.0]


def test_a_run_whose_line_was_drawn_before_its_page_was_opened_has_the_artifacts_curves_as_well(site):
    line = {"step": 1, "time": 1.0, "loss": 3.0}
    site.store.write("steps/pretrain-12ab/metrics.jsonl", f"{json.dumps(line)}\n".encode())
    feed = CurvesFeed()
    assert feed.loss(site.store, "gone-1", 10) == []
    told = json.loads(feed.document(site.store, "gone-1", {"run": "gone-1"}, "steps/pretrain-12ab"))
    assert told["lines"]["loss"]["mean"] == [3.0]
    assert feed.loss(site.store, "gone-1", 10) == [(1, 3.0)]  # one reader for both


def test_a_damaged_line_of_one_run_leaves_the_overview_up_and_is_told_with_its_curves(site):
    site.record(runs.RUNNING)
    site.metrics({"step": 1, "time": 1.0, "loss": 3.0}, {"time": 2.0, "loss": 2.5}, {"step": 3, "time": 3.0, "loss": 2})
    with Leases(site.store, StateDirectory("unused")).hold(runs.lease_name(site.run_id)):
        site.look()
        assert site.run_id in site.get("/")
    told = json.loads(CurvesFeed().document(site.store, site.run_id, {"run": site.run_id}))
    assert (told["lines"]["loss"]["mean"], told["damaged"]) == ([3.0, 2], 1)
