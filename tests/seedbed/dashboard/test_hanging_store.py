"""A store that takes calls and never answers: its own pages say so in time, everything else comes as ever."""

import asyncio
import re
import threading
import time

import pytest

from seedbed import runs
from seedbed.dashboard import sparks, store_reads
from seedbed.dashboard.pages import job_actions, subject
from seedbed.dashboard.watch import LOST_AFTER_S, Watch
from seedbed.errors import StoreError
from seedbed.lease import Leases
from seedbed.registry.records import NewJob
from seedbed.state import StateDirectory
from seedbed.store import Store

PATIENCE_S = 0.3


@pytest.fixture
def hanging(site, monkeypatch):
    """The run of `site`, seen once; then nothing of its store answers before the test ends."""
    monkeypatch.setattr(subject, "PATIENCE_S", PATIENCE_S)
    site.record(runs.RUNNING)
    training = {"step": 4, "num_steps": 10, "loss": 5.25}
    site.report(training=training)
    site.metrics(*({"step": n, "time": n, "loss": 8.0 / n} for n in (1, 2, 3, 4)))
    release = threading.Event()
    with Leases(site.store, StateDirectory("unused")).hold(runs.lease_name(site.run_id)):
        site.look()

        def hang(*_):
            release.wait(60)
            raise StoreError("it was let go")

        for name in ("read", "read_if_there", "names", "files", "stamp", "size", "open"):
            monkeypatch.setattr(site.store, name, hang)
        yield site
        release.set()


def paths(run_id):
    return [f"/runs/{run_id}{page}" for page in ("", "/logs", "/plan", "/curves.json")] + [
        f"/data?run={run_id}",
        f"/data/document?run={run_id}&target=x",
        f"/data/samples?run={run_id}",
        f"/compare?run={run_id}",
    ]


def test_its_pages_say_so_in_time(hanging):
    for path in paths(hanging.run_id):
        begun = time.monotonic()
        page = hanging.get(path, status=503)
        assert time.monotonic() - begun < 5
        assert f"the store {hanging.store.place} has not answered within 0.3 s" in page
        assert "What is shown here is what the registry remembers." in page
        assert "4 of 10 steps" in page


def test_a_script_is_told_as_json(hanging):
    answer = hanging.client.get(f"/runs/{hanging.run_id}/curves.json")
    assert answer.status_code == 503
    assert answer.json() == {"error": f"the store {hanging.store.place} has not answered within 0.3 s"}


def test_a_store_that_is_known_to_be_lost_is_not_waited_for(hanging, monkeypatch):
    monkeypatch.setattr(subject, "PATIENCE_S", 60.0)
    monkeypatch.setattr(subject, "KNOWN_LOST_PATIENCE_S", 0.1)
    place = hanging.watch._places[hanging.store.place]
    long_ago = type(place)(place.name, time.time() - LOST_AFTER_S - 1)
    hanging.watch._places[place.name] = long_ago
    page = hanging.get(f"/runs/{hanging.run_id}", status=503)
    assert "The store is out of reach</strong> since" in page
    assert '<span class="badge warn">unreachable</span>' in page


def test_many_who_look_at_it_hold_up_nobody_else(hanging, monkeypatch, in_one_loop):
    """A loop has 40 threads for pages that are no coroutines."""
    monkeypatch.setattr(subject, "PATIENCE_S", 30.0)

    async def look(browser):
        askers = [asyncio.create_task(browser.get(path)) for path in paths(hanging.run_id) * 10]
        await asyncio.sleep(0.3)
        for path in ("/runs", "/cluster", f"/runs/{hanging.run_id}/events"):
            answer = await asyncio.wait_for(browser.get(path), 10)
            assert answer.status_code == 200
        assert not any(asker.done() for asker in askers)
        for asker in askers:
            asker.cancel()
        await asyncio.gather(*askers, return_exceptions=True)

    in_one_loop(look)


def test_the_overview_does_not_wait_for_losses(hanging, monkeypatch):
    monkeypatch.setattr(sparks, "WAIT_S", 0.2)
    for _ in range(3):
        begun = time.monotonic()
        page = hanging.get("/")
        assert time.monotonic() - begun < 5
        assert "4 of 10 steps" in page
    reads = hanging.client.app.state.reads[hanging.store.place]
    assert reads.streams._num_begun == 1  # it is not asked again before it has answered


def test_a_line_that_was_drawn_stays_while_the_store_hangs(site, monkeypatch):
    site.metrics(*({"step": n, "time": n, "loss": 8.0 / n} for n in (1, 2, 3, 4)))
    drawn = site.client.app.state.sparks
    key = (site.store.place, site.run_id)
    monkeypatch.setattr(sparks, "WAIT_S", 10.0)
    before = drawn.lines([key])
    assert before[key].startswith("0.0,0.0 ")
    release = threading.Event()
    monkeypatch.setattr(site.store, "names", lambda _: release.wait(10) and [])
    monkeypatch.setattr(sparks, "WAIT_S", 0.05)
    assert drawn.lines([key]) == before
    release.set()


def test_a_job_is_asked_to_stop_though_its_store_hangs(hanging, monkeypatch):
    """The store's own threads are held up, and no other: the controller passes the request on."""
    monkeypatch.setattr(job_actions, "PASS_ON_PATIENCE_S", PATIENCE_S)
    new = NewJob(
        key="k", run_id=hanging.run_id, name="tiny", project="p", owner="me", cluster="local",
        store_url=hanging.store.place, bundle="b", cpus=1, gpus=0,
    )  # fmt: skip
    job, _ = hanging.registry.begin_attempt(hanging.registry.add_job(new, actor="me")[0], reason="room", actor="test")
    release = threading.Event()
    monkeypatch.setattr(Store, "write", lambda *_: release.wait(60))
    csrf = re.search(r'name="csrf" value="(\w+)"', hanging.get("/login"))[1]
    headers = {"origin": "http://127.0.0.1:8780"}
    begun = time.monotonic()
    answer = hanging.client.post(f"/jobs/{job.id}/stop", data={"csrf": csrf}, headers=headers)
    release.set()
    assert (answer.status_code, time.monotonic() - begun < 10) == (303, True)
    assert hanging.registry.job(job.id).desired == "stop"


def test_a_look_after_an_action_asks_no_store(site, monkeypatch):
    monkeypatch.setattr(site.store, "names", lambda _: pytest.fail("the store was asked"))
    site.watch.look_at_registry()
    assert site.watch.view().registry.fault is None


def test_checks_of_run_files_that_hang_hold_up_no_page(registry, tmp_path, client_of):
    store = Store(str(tmp_path / "one"))
    reads = client_of(Watch(registry, [store], StateDirectory(tmp_path / "state"))).app.state.reads[store.place]
    release = threading.Event()

    async def scenario():
        checks = [
            asyncio.create_task(reads.read(lambda: release.wait(120), 120.0, reads.checks))
            for _ in range(store_reads.PAGE_THREADS + 1)
        ]
        await asyncio.sleep(0)
        assert await reads.read(lambda: "read", 60.0) == "read"  # long before a check lets go
        release.set()
        assert await asyncio.gather(*checks) == [True] * len(checks)

    asyncio.run(scenario())


def test_another_store_is_read_by_other_threads(registry, tmp_path, client_of):
    stores = [Store(str(tmp_path / name)) for name in ("one", "two")]
    reads = client_of(Watch(registry, stores, StateDirectory(tmp_path / "state"))).app.state.reads
    release = threading.Event()
    for _ in range(store_reads.PAGE_THREADS + 1):
        reads[stores[0].place].pages.submit(lambda: release.wait(30))
    assert reads[stores[1].place].pages.submit(lambda: "read").result(5) == "read"
    release.set()
