"""The dashboard as people see it: every page, both colour schemes, a phone; what changes while one looks."""

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from benchmarks.dashboard.make_store import make_store
from benchmarks.dashboard.served import Served
from seedbed import runs
from seedbed.lease import Leases
from seedbed.registry.database import open_registry
from seedbed.registry.records import Cluster
from seedbed.registry.registry import Registry
from seedbed.registry.states import ClusterState, Level
from seedbed.reports import attempt_path
from seedbed.runs import RunRecord
from seedbed.state import StateDirectory
from seedbed.store import Store

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 800}


@dataclass
class Site:
    """A dashboard over a store that was made for it."""

    server: Served
    store: Store
    state: StateDirectory
    registry: Registry
    run_id: str
    run_file: Path

    def path(self, name: str) -> str:
        return self.server.url + name.format(run=self.run_id)

    @contextmanager
    def running(self, **heartbeat):
        """As while a driver is at the newest run."""
        with Leases(self.store, self.state).hold(runs.lease_name(self.run_id)):
            self.record(runs.RUNNING)
            self.beat(**heartbeat)
            yield
        self.record(runs.FINISHED)

    def record(self, state: str) -> None:
        record = runs.load(self.store, self.run_id)
        runs.save(self.store, RunRecord(**(vars(record) | {"state": state})))

    def beat(self, **heartbeat) -> None:
        told = {"at": time.time(), "every_s": 5.0, "step": "pretrain"} | heartbeat
        self.store.write(f"{attempt_path(self.run_id, 1)}/heartbeat.json", json.dumps(told).encode())


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboard")
    made = make_store(folder, num_runs=30, num_shards=3, num_points=5000)
    state = StateDirectory(folder / "state")
    registry = open_registry(None, state)
    cluster = Cluster(
        "local", "http://127.0.0.1:9", "127.0.0.1:10", ClusterState.UNREACHABLE, heard_at=time.time() - 99
    )
    registry.save_cluster(cluster, reason="made by a test", actor="test")
    registry.raise_alarm("test", "cluster", "local", level=Level.WARNING, message="it does not answer", actor="test")
    server = Served(state.root, made.store.place)
    yield Site(server, made.store, state, registry, made.plan.run_id, made.run_file)
    server.stop()
    registry.close()


@pytest.fixture
def inside(page, site):
    """The window, logged in by the link of the terminal; nothing may go wrong in it."""
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto(site.server.link)
    page.wait_for_url(f"{site.server.url}/")
    yield page
    assert faults == []


PAGES = {
    "/": "Latest runs",
    "/runs": "page 1 of 2",
    "/runs/{run}": "Checkpoints",
    "/runs/{run}/logs": "ended",
    "/runs/{run}/events": "all of its steps are done",
    "/runs/{run}/plan": "Numbers",
    "/data?run={run}": "By language",
    "/data/document?run={run}&target=docs/00000.jsonl%231": "Text as extracted",
    "/data/samples?run={run}&step=select&reason=too_few_words": "measured 2 against 50",
    "/compare?run={run}&run=many-00000001": "What was planned differently",
    "/cluster": "Its Ray does not answer",
    "/submit?run={run}": "Paths in it start at",
}


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        pytest.param(None, "light", id="desk-light"),
        pytest.param(PHONE, "dark", id="phone-dark"),
        pytest.param(None, "dark", id="desk-dark", marks=pytest.mark.thorough),
        pytest.param(PHONE, "light", id="phone-light", marks=pytest.mark.thorough),
    ],
)
def test_every_page_can_be_read_by_everybody(inside, shows, site, scheme, size):
    inside.emulate_media(color_scheme=scheme)
    if size:
        inside.set_viewport_size(size)
    found = []
    for path, words in PAGES.items():
        inside.goto(site.path(path))
        shows(words)
        told = Axe().run(inside).response["violations"]
        bad = [one for one in told if one["impact"] in ("serious", "critical")]
        found += [
            f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}" for one in bad
        ]
        too_wide = inside.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [f"{path}: {too_wide} pixels too wide"] if too_wide > 0 else []
    assert not found, "\n".join(found)


def test_the_login_page_can_be_read_by_everybody_and_refuses_a_wrong_token(page, shows, site):
    page.goto(f"{site.server.url}/runs")
    shows("Log in")
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    shows("That is not the token of this dashboard.")
    told = Axe().run(page).response["violations"]
    assert [one["id"] for one in told if one["impact"] in ("serious", "critical")] == []


def test_the_link_logs_in_from_a_tab_that_shows_the_login_page_already(page, shows, site):
    page.goto(f"{site.server.url}/login")
    shows("Log in")
    page.evaluate("link => { location.href = link }", site.server.link)  # as pasted: only what is behind the # changes
    page.wait_for_url(f"{site.server.url}/")
    assert "Log out" in shows("Latest runs", "many")


def test_on_a_phone_nothing_of_a_row_is_out_of_sight(inside, shows, site):
    inside.set_viewport_size(PHONE)
    with site.running(training={"step": 10, "num_steps": 40, "loss": 5.0}):
        inside.goto(site.path("/"))
        shows("10 of 40 steps")
        for label in ("Progress", "Loss", "Heard"):
            box = inside.locator(f"#row-{site.run_id} td[data-label='{label}']").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], label


def test_a_run_is_followed_without_loading_the_page_again(inside, shows, site):
    training = {"step": 10, "num_steps": 100_000, "loss": 5.0}
    with site.running(training=training):
        inside.goto(site.path("/runs/{run}"))
        shows("running", "10 of 100,000 steps", "live")
        inside.evaluate("window.kept = true")
        inside.get_by_text("The steps as a table").click()
        site.beat(training=training | {"step": 77_000}, rate=1234.0, rate_unit="tokens/s")
        shows("77,000 of 100,000 steps", "1,234 tokens/s", "Fingerprint")
    shows("finished")
    assert inside.evaluate("window.kept") is True
    expect(inside.locator("details")).to_have_attribute("open", "")


def test_a_driver_that_falls_silent_is_shown_as_silent(inside, shows, site):
    with site.running(at=time.time() - 28):
        inside.goto(site.path("/"))
        shows("running")
        shows("silent")
        assert inside.locator(".badge.live").count() == 0


def test_a_log_is_followed(inside, shows, site):
    with site.running():
        inside.goto(site.path("/runs/{run}/logs"))
        shows("ended")
        path = f"{attempt_path(site.run_id, 1)}/logs/driver/000000.log"
        site.store.write(path, site.store.read(path) + b"and a line that came later\n")
        assert shows("and a line that came later").count("and a line that came later") == 1


def test_the_curves_are_drawn(inside, shows, site):
    inside.goto(site.path("/runs/{run}"))
    expect(inside.locator("canvas")).to_have_count(4)
    expect(inside.get_by_role("img", name="Loss, nats per token: line chart")).to_be_visible()
    inside.goto(site.path("/compare?run={run}&run=many-00000001"))
    expect(inside.locator("canvas").first).to_be_visible()


def test_a_page_of_the_crawl_cannot_do_anything(inside, shows, site):
    for path in (
        "/data/document?run={run}&target=docs/00000.jsonl%231",
        "/data/samples?run={run}&step=extract",
        "/runs/{run}/logs",
    ):
        inside.goto(site.path(path))
        shows("<script>document.title='owned'</script>")
        assert inside.title() != "owned"
        assert inside.locator("img[src=x]").count() == 0


def test_a_reason_leads_to_documents(inside, shows, site):
    inside.goto(site.path("/runs/{run}"))
    inside.get_by_role("link", name="too_few_words").click()
    shows("Dropped by select: too_few_words", "measured 2 against 50")
    inside.get_by_role("link", name="docs/0000").first.click()
    shows("Its way", "dropped")
    assert "/data/document?" in inside.url and site.run_id in inside.url
    assert "too_few_words" in inside.inner_text("main")


def test_by_keyboard_one_gets_past_the_head_of_the_page(inside, site):
    inside.goto(site.path("/"))
    inside.keyboard.press("Tab")
    expect(inside.get_by_text("Skip to the content")).to_be_focused()
    inside.keyboard.press("Enter")
    expect(inside.locator("main")).to_be_focused()


def test_colours_can_be_chosen_and_stay(inside, site):
    inside.emulate_media(color_scheme="light")
    inside.goto(site.path("/"))
    button = inside.locator("#theme")
    button.click()
    button.click()
    expect(button).to_have_attribute("aria-label", "Colours: dark")
    inside.goto(site.path("/runs"))
    assert inside.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 23, 21)"


def test_a_run_is_submitted_stopped_and_resumed(inside, shows, site):
    inside.goto(site.path("/submit"))
    go = inside.get_by_role("button", name="Submit", exact=True)
    expect(go).to_be_disabled()
    text = inside.get_by_label("Run file (YAML)")
    text.fill("name: many\ntraining: {num_stepz: 3}\n")
    shows("training.num_stepz")
    expect(go).to_be_disabled()
    inside.get_by_label("Paths in it start at").fill(str(site.run_file.parent))
    text.fill(site.run_file.read_text().replace("max_flops: 1e15", "max_flops: 1e3"))
    shows("budget.max_flops")
    expect(go).to_be_disabled()
    text.fill(site.run_file.read_text().replace("name: many", "name: fresh"))
    shows("Budget: pass", "extract cached", "pretrain to do")
    expect(go).to_be_enabled()
    go.click()
    shows("queued", "submitted")
    [job] = site.registry.jobs()
    assert (job.name, job.state) == ("fresh", "queued")
    inside.get_by_role("link", name="Stop", exact=True).click()
    inside.get_by_role("button", name="Stop it").click()
    shows("stopped", "Resume")
    assert site.registry.job(job.id).state == "stopped"
    inside.get_by_role("link", name="Resume").click()
    inside.get_by_role("button", name="Resume it").click()
    shows("queued")
    events = site.registry.events(f"job {job.id}")
    assert [event.to_state for event in events if event.to_state] == ["queued", "stopped", "queued"]
    assert all("(dashboard)" in event.actor for event in events[1:])


def test_an_alarm_is_acknowledged(inside, shows, site):
    inside.goto(site.path("/"))
    # No controller runs here, which is an alarm of its own.
    of_cluster = inside.locator("[id^=alarm-]").filter(has_text="it does not answer")
    of_cluster.get_by_role("link", name="I have seen it").click()
    inside.get_by_role("button", name="I have seen it").click()
    shows("seen by", "it does not answer")
    [alarm] = [alarm for alarm in site.registry.alarms() if "it does not answer" in alarm.message]
    assert alarm.acknowledged_by and "(dashboard)" in alarm.acknowledged_by


HIDE = """state => {
    Object.defineProperty(document, "visibilityState", {configurable: true, get: () => state});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_tabs_that_nobody_sees_hold_no_connection_and_catch_up(inside, shows, site):
    """Chromium allows six connections to a host: a seventh stream, and what its page loads, would wait for ever."""
    training = {"step": 10, "num_steps": 100_000, "loss": 5.0}
    with site.running(training=training):
        tabs = [inside.context.new_page() for _ in range(7)]
        for tab in tabs:
            tab.goto(site.path("/runs/{run}"))
            expect(tab.locator("#connection")).to_have_text("live")
            expect(tab.get_by_text("10 of 100,000 steps").first).to_be_visible()
            tab.evaluate(HIDE, "hidden")
        first = tabs[0]
        site.beat(training=training | {"step": 77_000})
        tabs[-1].evaluate(HIDE, "visible")
        expect(tabs[-1].get_by_text("77,000 of 100,000 steps").first).to_be_visible()
        assert "10 of 100,000 steps" in first.inner_text("main")  # nobody has told it
        first.evaluate(HIDE, "visible")
        expect(first.get_by_text("77,000 of 100,000 steps").first).to_be_visible()
        for tab in tabs:
            tab.close()


def test_a_log_that_cannot_be_followed_is_said(inside, shows, site):
    inside.goto(site.path("/runs/{run}/logs"))
    shows("ended", "live")
    broken = site.store.local_path(f"{attempt_path(site.run_id, 1)}/logs/driver/000001.log")
    broken.symlink_to(broken.name)  # a link to itself
    shows("The log cannot be followed: cannot read")
    broken.unlink()
    expect(inside.get_by_text("The log cannot be followed")).to_have_count(0)


def test_curves_that_cannot_be_read_are_said_and_come_later(page, shows, site):
    page.route("**/curves.json*", lambda route: route.fulfill(status=503, json={"error": "the disk is away"}))
    page.goto(site.server.link)
    page.wait_for_url(f"{site.server.url}/")
    page.goto(site.path("/runs/{run}"))
    shows("The curves cannot be read: the disk is away")
    page.unroute("**/curves.json*")
    expect(page.locator("canvas")).to_have_count(4, timeout=30_000)  # they are asked for again after 5 s
    expect(page.get_by_text("The curves cannot be read")).to_have_count(0)


def test_a_store_that_hangs_has_a_page_that_says_so_and_comes_back_by_itself(page, shows, site):
    page.goto(site.server.link)
    page.wait_for_url(f"{site.server.url}/")
    artifact = f"steps/pretrain-{runs.load_plan(site.store, site.run_id).step('pretrain').fingerprint}"
    pipe = site.store.local_path(f"{artifact}/checkpoints/step-00000001/manifest.json")
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)  # whoever opens it waits for somebody who writes
    page.goto(site.path("/runs/{run}"))
    shows("has not answered within 15 s", "What is shown here is what the registry remembers", "100,000")
    page.evaluate("window.kept = true")
    aside = pipe.rename(pipe.with_name("pipe"))
    os.close(os.open(aside, os.O_WRONLY | os.O_NONBLOCK))  # they go on
    shows("finished", "Checkpoints", "live")
    expect(page.locator("canvas")).to_have_count(4)
    assert page.evaluate("window.kept") is True
    assert "has not answered" not in page.inner_text("body")


def test_a_dashboard_that_is_gone_is_said_and_nothing_is_called_running(page, shows, site):
    with site.running():
        server = Served(site.state.root, site.store.place)
        page.goto(server.link)
        shows("running", "live")
        server.stop()
        text = shows("connection lost", "nothing here is known to be true now")
        assert "running then" in " ".join(text.split()) or page.locator(".is-lost .badge.live").count() == 1
