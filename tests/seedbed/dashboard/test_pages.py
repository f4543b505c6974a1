"""What pages say of a run in every state, also of one that cannot be seen just now."""

import re
import time

from seedbed import runs
from seedbed.dashboard.watch import Watch
from seedbed.errors import StoreError
from seedbed.lease import Leases
from seedbed.registry.records import Cluster, NewJob
from seedbed.registry.states import ClusterState, Level
from seedbed.state import StateDirectory


def hold(site):
    """As the driver of the run does."""
    return Leases(site.store, StateDirectory("unused")).hold(runs.lease_name(site.run_id))


def test_an_empty_dashboard_says_how_to_begin(registry, tmp_path, client_of, log_in):
    client = client_of(Watch(registry, [], StateDirectory(tmp_path)))
    log_in(client)
    page = client.get("/").text
    assert "Nothing runs." in page
    assert "No run is known here yet." in page
    assert "No run has read anything yet" in client.get("/data").text
    assert "No run is known here yet" in client.get("/runs").text


def test_a_finished_run_shows_its_steps_and_its_funnel(site):
    site.record()
    site.look()
    page = site.get(f"/runs/{site.run_id}")
    assert '<span class="badge good">finished</span>' in page
    assert "7 → 4" in page  # extract, in the graph
    assert "extract: 4 of 7 records kept" in page
    assert "reason=too_few_words" in page
    assert "unknown (" in page  # no law predicts a model so small
    assert '<a href="#step-pretrain" aria-label="pretrain: to do">' in page


def test_a_running_run_is_shown_with_what_its_driver_said_last(site):
    site.record(runs.RUNNING)
    training = {"step": 4, "num_steps": 10, "loss": 5.25, "validation_loss": 5.5, "tokens_per_second": 900.0}
    site.report(training=training, done=4, total=10, unit="steps", rate=900.0, rate_unit="tokens/s", seconds_left=61.0)
    site.metrics(*({"step": n, "time": n, "loss": 8.0 / n} for n in (1, 2, 3, 4)))
    with hold(site):
        site.look()
        overview, page = site.get("/"), site.get(f"/runs/{site.run_id}")
    assert '<span class="badge live">running</span>' in overview
    assert "4 of 10 steps" in overview
    assert "<polyline" in overview
    assert "1 min 1 s" in overview
    assert '<a href="#step-pretrain" aria-label="pretrain: running">' in page
    assert "validation <b>5.500</b>" in page


def test_a_driver_that_says_nothing_is_not_called_running(site):
    site.record(runs.RUNNING)
    site.report(at=time.time() - 300)
    with hold(site):
        site.look()
        overview, page = site.get("/"), site.get(f"/runs/{site.run_id}")
    for shown in (overview, page):
        assert "badge live" not in shown
        assert '<span class="badge warn">silent</span>' in shown
    assert "nothing was heard for a while" in page
    assert '<a href="#step-pretrain" aria-label="pretrain: silent">' in page


def test_a_run_whose_driver_is_gone_is_interrupted(site):
    site.record(runs.RUNNING)
    site.report()
    site.look()
    assert '<span class="badge warn">interrupted</span>' in site.get(f"/runs/{site.run_id}")


def test_a_store_that_is_gone_is_said_and_nothing_runs_on_it(site, monkeypatch):
    site.record(runs.RUNNING)
    site.report()
    with hold(site):
        site.look()

    def gone(*_):
        raise StoreError("cannot list runs: stale file handle")

    monkeypatch.setattr(site.store, "names", gone)
    site.look()
    page = site.get("/")
    assert "is out of reach" in page
    assert "stale file handle" in page
    assert "badge live" not in page
    assert '<span class="badge warn">unreachable</span>' in page


def test_a_registry_that_is_gone_is_said_with_what_was_seen_before(site, monkeypatch):
    site.record()
    site.look()

    def gone(**_):
        raise OSError("no route to host")

    monkeypatch.setattr(site.registry, "runs", gone)
    site.look()
    page = site.get("/")
    assert "The registry is out of reach" in page
    assert "no route to host" in page
    assert site.run_id in page


def test_a_failed_run_says_why(site):
    site.record(runs.FAILED, "QuarantineError: 3 of 7 records failed")
    site.look()
    assert "QuarantineError: 3 of 7 records failed" in site.get(f"/runs/{site.run_id}")
    assert "QuarantineError: 3 of 7 records failed" in site.get("/")


def test_a_damaged_plan_is_an_error_that_says_what_to_do(site):
    site.record()
    site.store.write(f"runs/{site.run_id}/plan.json", b"{")
    site.look()
    page = site.get(f"/runs/{site.run_id}", status=500)
    assert "is damaged" in page
    assert f"remove the folder runs/{site.run_id}" in page


def test_a_plan_with_a_key_that_is_no_more_is_shown_with_what_is_wrong_with_it(site):
    site.plan.config["training"]["gone"] = 3  # what an older Seedbed took
    site.record()
    site.look()
    page = site.get(f"/runs/{site.run_id}")
    assert f"runs/{site.run_id}/plan.json: training.gone: " in page
    assert "another version of Seedbed made this plan" in page
    assert "7 → 4" in page  # its steps are there all the same
    assert '"num_steps": 10' in site.get(f"/runs/{site.run_id}/curves.json")


def test_a_damaged_record_is_shown_as_that(site):
    site.record()
    site.store.write(runs.record_path(site.run_id), b"{")
    site.look()
    page = site.get(f"/runs/{site.run_id}")
    assert '<span class="badge bad">damaged</span>' in page
    assert f"remove the folder runs/{site.run_id}" in page


def test_what_is_not_there_is_not_found(site):
    assert "no run nobody-1 is known here" in site.get("/runs/nobody-1", status=404)
    assert "There is no such page." in site.get("/nothing", status=404)


def test_queue_alarms_and_clusters_stand_on_the_overview(site):
    new = NewJob(
        key="k", run_id="big-0a", name="big", project="p", owner="me", cluster="local", store_url=site.store.place,
        bundle="b", cpus=4, gpus=0,
    )  # fmt: skip
    job, _ = site.registry.add_job(new, actor="me")
    site.registry.explain(job, "waits for 4 CPUs: 2 of 4 are in use")
    site.registry.raise_alarm("silent", "job", "1", level=Level.WARNING, message="not heard for 90 s", actor="watch")
    up = Cluster("local", "http://127.0.0.1:8265", "127.0.0.1:6379", ClusterState.UNREACHABLE)
    site.registry.save_cluster(up, reason="test", actor="me")
    site.look()
    page = site.get("/")
    assert "waits for 4 CPUs: 2 of 4 are in use" in page
    assert "not heard for 90 s" in page
    assert '<span class="badge bad">unreachable</span>' in page


def test_the_overview_says_of_each_node_what_is_in_use_and_who_reserves_it(site):
    new = NewJob(
        key="k", run_id="big-0a", name="big", project="p", owner="ana", cluster="local", store_url=site.store.place,
        bundle="b", cpus=4, gpus=0,
    )  # fmt: skip
    job, _ = site.registry.add_job(new, actor="ana")
    job, _ = site.registry.begin_attempt(job, reason="given to Ray", actor="controller")
    node = {
        "id": "a" * 56, "hostname": "one", "address": "10.0.0.1", "is_head": True, "alive": True, "reason": "",
        "resources_total": {"CPU": 8.0}, "resources_used": {"CPU": 4.0}, "cpu_percent": 1.0, "gpus": [],
        "memory_total_bytes": 16 << 30, "memory_used_bytes": 4 << 30,
        "disk_total_bytes": 100 << 30, "disk_used_bytes": 95 << 30,
    }  # fmt: skip
    dead = node | {"id": "b" * 56, "hostname": "two", "alive": False}
    up = Cluster(
        "local", "http://127.0.0.1:8265", "127.0.0.1:6379", ClusterState.UP, heard_at=time.time(),
        snapshot={"nodes": [node, dead]},
    )  # fmt: skip
    site.registry.save_cluster(up, reason="test", actor="test")
    site.look()
    page = site.get("/")
    assert "95.0 GiB of 100.0 GiB" in page
    assert re.search('class="bar full"[^>]* aria-label="Disk of one: 95%"', page)
    assert 'two <span class="badge bad">dead</span>' in page
    assert "Disk of two" not in page
    assert "ana: big (4 CPUs)" in page


def test_a_cluster_that_is_down_has_no_nodes_and_its_jobs_wait_for_it(site):
    new = NewJob(
        key="k", run_id="big-0a", name="big", project="p", owner="ana", cluster="local", store_url=site.store.place,
        bundle="b", cpus=4, gpus=0,
    )  # fmt: skip
    job, _ = site.registry.add_job(new, actor="ana")
    site.registry.begin_attempt(job, reason="given to Ray", actor="controller")
    node = {"id": "a", "hostname": "one", "alive": True, "resources_total": {"CPU": 8.0}}
    down = Cluster("local", "http://127.0.0.1:1", "", ClusterState.DOWN, snapshot={"nodes": [node]})
    site.registry.save_cluster(down, reason="test", actor="test")
    site.look()
    page, cluster = site.get("/"), site.get("/cluster")
    assert "nodes alive" not in page and '<p class="muted small">1 waiting</p>' in page
    assert "one" not in re.findall("<td[^>]*>(.*?)</td>", cluster)
    assert "waits until local is up" in cluster and "given to Ray" not in cluster


def test_on_a_phone_each_cell_of_a_list_says_which_column_it_is(site):
    site.record(runs.RUNNING)
    site.report()
    with hold(site):
        site.look()
        page = site.get("/")
    stacks = re.findall(r'<table class="stack">(.*?)</table>', page, re.DOTALL)
    assert len(stacks) == 2  # what runs, and events
    for table in stacks:
        columns = re.findall(r"<th(?: [^>]*)?>(.*?)</th>", table)
        for row in table.split("<tr")[2:]:
            assert re.findall(r'<td data-label="(.*?)"', row) == columns
    assert "attr(data-label)" in site.get("/static/seedbed.css")


def test_runs_are_found_by_the_project_that_they_were_submitted_to(site):
    site.record()
    new = NewJob(
        key="k", run_id=site.run_id, name="tiny", project="Spring pilots", owner="me", cluster="local",
        store_url=site.store.place, bundle="b", cpus=4, gpus=0,
    )  # fmt: skip
    site.registry.add_job(new, actor="me")
    site.look()
    assert site.run_id in site.get("/runs?text=pilots")
    assert site.run_id in site.get(f"/runs?text={site.run_id}")
    assert site.run_id not in site.get("/runs?text=autumn")


def test_the_list_of_runs_comes_in_pages(site):
    from seedbed.registry.records import Run

    many = [Run(f"r-{n:02d}", site.store.place, "r", 1000.0 + n, "failed" if n % 2 else "finished") for n in range(60)]
    site.registry.see_runs(many, actor="test")
    site.watch._look_at_registry()
    first, last = site.get("/runs"), site.get("/runs?number=3")
    assert "page 1 of 3" in first
    assert "r-59" in first
    assert "r-00" not in first
    assert "r-00" in last
    assert "30 runs" in site.get("/runs?state=failed")
    assert "No run is like that." in site.get("/runs?text=nothing")


def test_curves_are_told_as_json(site):
    site.record()
    site.metrics(*({"step": n, "time": n, "loss": 8.0 / n} for n in (1, 2, 4)))
    site.look()
    told = site.client.get(f"/runs/{site.run_id}/curves.json").json()
    assert told["steps"] == [1, 2, 4]
    assert told["lines"]["loss"]["mean"] == [8.0, 4.0, 2.0]
    assert told["num_steps"] == 10


def test_a_million_points_are_thinned_and_keep_their_spikes(site):
    site.record()
    lines = [{"step": n, "time": n, "loss": 99.0 if n == 7777 else 1.0} for n in range(1, 20_001)]
    site.metrics(*lines)
    site.look()
    told = site.client.get(f"/runs/{site.run_id}/curves.json").json()
    assert len(told["steps"]) <= 1000
    assert max(told["lines"]["loss"]["high"]) == 99.0


def test_the_log_can_be_read_by_source(site):
    site.record()
    site.report()
    site.log("driver began\n")
    site.log("rank said\n", source="rank-00000")
    site.look()
    assert "driver began" in site.get(f"/runs/{site.run_id}/logs")
    alone = site.get(f"/runs/{site.run_id}/logs?attempt=1&source=rank-00000")
    assert "rank said" in alone
    assert "driver began" not in alone
    assert "driver began" in site.get(f"/runs/{site.run_id}/logs?attempt=1&source=")
    assert "has no attempt 9" in site.get(f"/runs/{site.run_id}/logs?attempt=9", status=404)
    assert "has no log of" in site.get(f"/runs/{site.run_id}/logs?attempt=1&source=../x", status=404)


def test_the_plan_and_the_events_of_a_run(site):
    site.record()
    site.look()
    assert "name: tiny" in site.get(f"/runs/{site.run_id}/plan")
    assert "all of its steps are done" in site.get(f"/runs/{site.run_id}/events")
    assert "attempt 1" not in site.get("/runs")  # that is no reason


def test_a_document_is_told_with_its_way_and_its_text(site):
    site.record()
    site.look()
    page = site.get(f"/data/document?run={site.run_id}&target=https://x.example/copy")
    assert "<b>deduplicate</b>: <b>near_duplicate</b>, measured 0.9 against 0.8" in page
    assert "docs/a.warc.gz#1</a>" in page
    kept = site.get(f"/data/document?run={site.run_id}&target=docs/a.warc.gz%231")
    assert '<del title="policy_line">We use cookies' in kept
    assert "Other records with this URL" in site.get(f"/data/document?run={site.run_id}&target=https://x.example/one")
    missing = site.get(f"/data/document?run={site.run_id}&target=https://x.example/never", status=404)
    assert "no record &#39;https://x.example/never&#39;" in missing


def test_samples_by_reason(site):
    site.record()
    site.look()
    page = site.get(f"/data/samples?run={site.run_id}&step=select&reason=too_few_words")
    assert "Too short" in page
    assert "measured 2 against 3" in page
    assert "drops nothing as" in site.get(f"/data/samples?run={site.run_id}&step=select&reason=ugly", status=404)


def test_the_data_of_a_run_is_counted_when_somebody_looks(site):
    from seedbed.dashboard.pages import data

    site.record()
    site.look()
    assert "Counting …" in site.get("/data")
    site.client.app.state.page.part(
        "live/data.html", **data._context(data.find(site.client.app, site.run_id, None), counts=True)
    )
    page = site.get("/data")
    assert "Counted over all 2 input shards, 4 documents with text" in page
    assert "By language" in page


def test_a_page_that_there_is_not_is_a_page_for_browsers_and_json_for_programs(site):
    browsers = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    shown = site.client.get("/nosuch", headers={"accept": browsers})
    assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page." in shown.text
    told = site.client.get("/nosuch", headers={"accept": "*/*"})
    assert (told.status_code, told.json()) == (404, {"error": "There is no such page."})


def test_jobs_of_one_run_file_are_told_apart_on_the_overview(site):
    for number, rate in ((1, "1e-3"), (2, "3e-4")):
        new = NewJob(
            key=f"k{number}", run_id=f"demo-{number}", name="demo", project="p", owner="me", cluster="c",
            store_url=site.store.place, bundle="b", cpus=1, gpus=0, summary={"set": [f"training.learning_rate={rate}"]},
        )  # fmt: skip
        site.registry.add_job(new, actor="me")
    site.look()
    page = site.get("/")
    for number, rate in ((1, "1e-3"), (2, "3e-4")):
        assert f'<span class="nowrap">demo-{number} · job {number}</span> · learning_rate={rate}</div>' in page
