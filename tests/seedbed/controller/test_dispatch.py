"""What an attempt is told on its command line, and so not by its bundle."""

import shlex

from jobs.submitted import _parser
from seedbed.controller.dispatch import entrypoint
from seedbed.registry.records import Attempt, Cluster, Job
from seedbed.registry.states import AttemptState, ClusterState

JOB = Job("k", "r-1", "r", "p", "o'neil", "far", "/store", "b" * 32, 1, 0, id=7)
ATTEMPT = Attempt(7, 2, "s", AttemptState.STARTING, 12.5)
FAR = Cluster("far", "http://192.0.2.7:8265", "", ClusterState.UP)  # an address that is nobody's (RFC 5737)


def told(cluster, dashboard_url):
    words = shlex.split(entrypoint(JOB, ATTEMPT, cluster, dashboard_url))
    assert words[:4] == ["exec", "python", "-m", "jobs.submitted"]
    return _parser().parse_args(words[4:])


def test_an_attempt_is_told_its_owner_and_where_mlflow_and_the_dashboard_are_now():
    moved = Cluster("far", FAR.address, "", ClusterState.UP, mlflow_uri="http://192.0.2.7:5001")
    given = told(moved, "http://127.0.0.1:8780")
    assert (given.bundle, given.job, given.attempt, given.submitted_at) == ("b" * 32, 7, 2, 12.5)
    assert (given.owner, given.mlflow_uri) == ("o'neil", "http://192.0.2.7:5001")
    assert given.dashboard_url == "http://127.0.0.1:8780"


def test_what_there_is_not_is_not_said():
    given = told(FAR, None)
    assert (given.mlflow_uri, given.dashboard_url) == (None, None)
