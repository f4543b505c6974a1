from seedbed.registry.records import Cluster, NewJob
from seedbed.registry.states import ClusterState


def test_what_the_registry_calls_an_address_is_no_link_for_that(site):
    """Whoever may write into a shared registry may not run something in the browsers of the others."""
    cluster = Cluster(
        "local", "javascript:alert(1)//", "127.0.0.1:10", ClusterState.UP, mlflow_uri="javascript:alert(2)"
    )
    site.registry.save_cluster(cluster, reason="test", actor="test")
    new = NewJob(
        key="k", run_id=site.run_id, name="tiny", project="p", owner="me", cluster="local", store_url=site.store.place,
        bundle="b", cpus=1, gpus=0,
    )  # fmt: skip
    job, _ = site.registry.add_job(new, actor="me")
    site.registry.begin_attempt(job, reason="test", actor="me")
    site.record()
    site.look()
    for path in (f"/runs/{site.run_id}", "/cluster"):
        page = site.get(path)
        assert 'href="javascript' not in page
    assert "<code>javascript:alert(2)</code>" in site.get(f"/runs/{site.run_id}")


def test_a_jobs_link_leads_to_its_run_on_the_server_as_it_is_now(site):
    cluster = Cluster("local", "http://127.0.0.1:9", "127.0.0.1:10", ClusterState.UP, mlflow_uri="http://127.0.0.1:11")
    site.registry.save_cluster(cluster, reason="test", actor="test")
    new = NewJob(
        key="k", run_id=site.run_id, name="tiny", project="p", owner="me", cluster="local", store_url=site.store.place,
        bundle="b", cpus=1, gpus=0,
    )  # fmt: skip
    job, _ = site.registry.add_job(new, actor="me")
    _, attempt = site.registry.begin_attempt(job, reason="test", actor="me")
    site.record()
    site.look()
    page = f"/runs/{site.run_id}"
    assert 'href="http://127.0.0.1:11"' in site.get(page)  # it has not arrived there yet
    told = {"uri": "http://127.0.0.1:1", "experiment_id": "3", "run": "ab12"}  # the server has moved since
    site.registry.update_attempt(attempt, progress={"mlflow": told})
    site.look()
    assert "http://127.0.0.1:11/#/experiments/3/runs/ab12" in site.get(page)
