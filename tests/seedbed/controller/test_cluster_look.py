from seedbed.controller import cluster_look
from seedbed.controller.judge import RayWord
from seedbed.errors import RayAnswered
from seedbed.registry.records import Cluster
from seedbed.registry.states import ClusterState


class Ray:
    """Has run two jobs; one of them prints much, and nobody follows it."""

    def version(self):
        return {"session_name": "one", "ray_version": "2"}

    def jobs(self):
        raise AssertionError("all jobs that there ever were are asked for")

    def job(self, submission_id):
        if submission_id == "c":
            raise RayAnswered("it answered GET /api/jobs/c with 500: KeyError", 500)
        return {"a": {"status": "FAILED", "message": "no", "driver_exit_code": 2}}.get(submission_id)

    def nodes(self):
        return []


def test_ray_is_asked_for_the_attempts_that_are_followed_and_for_no_other(monkeypatch):
    monkeypatch.setattr(cluster_look, "api_of", lambda cluster: Ray())
    row = Cluster("local", "http://127.0.0.1:1", "", ClusterState.UP)
    look = cluster_look.look_at_cluster(row, "one", ["a", "b"])
    assert look.words == {"a": RayWord("FAILED", "no", 2), "b": None}


def test_a_job_that_ray_cannot_tell_of_makes_no_cluster_unreachable(monkeypatch):
    monkeypatch.setattr(cluster_look, "api_of", lambda cluster: Ray())
    row = Cluster("local", "http://127.0.0.1:1", "", ClusterState.UP)
    look = cluster_look.look_at_cluster(row, "one", ["a", "c"])
    assert look.words == {"a": RayWord("FAILED", "no", 2)}  # and not that it does not know it
    assert look.untold == {"c": "it answered GET /api/jobs/c with 500: KeyError"}
