import asyncio
import time

import pytest

from seedbed.dashboard import hub
from seedbed.dashboard import sessions as sessions_module
from seedbed.dashboard.app import make_app
from seedbed.dashboard.sessions import ENDED_FOLDER, SESSION_S, Sessions, cookie_name, session_secret
from seedbed.dashboard.watch import Watch
from seedbed.state import StateDirectory

HTML = {"accept": "text/html"}


def after(monkeypatch, seconds):
    at = time.time() + seconds
    monkeypatch.setattr(sessions_module.time, "time", lambda: at)


def begun(sessions):
    session = {}
    sessions.begin(session)
    return session


def test_a_session_is_open_until_it_ends_or_a_week_has_gone(tmp_path, monkeypatch):
    sessions = Sessions(StateDirectory(tmp_path))
    mine, other = begun(sessions), begun(sessions)
    assert sessions.is_open(mine)
    copied = dict(mine)
    sessions.end(mine)
    assert mine == {}
    assert not sessions.is_open(copied)
    assert not Sessions(StateDirectory(tmp_path)).is_open(copied)  # after a new start as well
    assert sessions.is_open(other)
    after(monkeypatch, SESSION_S)
    assert not sessions.is_open(other)


@pytest.mark.parametrize("session", [{}, {"id": "../token", "until": 1e12}, {"id": "0" * 32}, {"csrf": "x"}])
def test_what_was_never_begun_is_not_open(tmp_path, session):
    assert not Sessions(StateDirectory(tmp_path)).is_open(session)


def test_what_is_too_old_to_be_believed_needs_no_memory(tmp_path, monkeypatch):
    sessions = Sessions(StateDirectory(tmp_path))
    sessions.end(begun(sessions))
    after(monkeypatch, SESSION_S + 60)
    last = begun(sessions)
    name = last["id"]
    sessions.end(last)
    assert [path.name for path in (tmp_path / ENDED_FOLDER).iterdir()] == [name]


def test_who_logs_out_while_another_cleans_up_is_logged_out(tmp_path):
    sessions = Sessions(StateDirectory(tmp_path))
    sessions.end(begun(sessions))
    (tmp_path / ENDED_FOLDER / "0").symlink_to(tmp_path / "gone")  # listed, and not there when it is asked for
    mine = begun(sessions)
    copied = dict(mine)
    sessions.end(mine)
    assert mine == {}
    assert not sessions.is_open(copied)


def test_two_dashboards_of_one_host_take_each_others_sessions_for_nothing(registry, tmp_path, client_of, log_in):
    assert cookie_name(8780) != cookie_name(8781)
    assert session_secret("token", 8780) != session_secret("token", 8781)
    watch = Watch(registry, [], StateDirectory(tmp_path / "state"))
    client = client_of(watch)
    log_in(client)
    cookie = client.cookies[cookie_name(8780)]
    from starlette.testclient import TestClient

    other = TestClient(
        make_app(watch, "the-token", frozenset({"127.0.0.1"}), 8781),
        base_url="http://127.0.0.1:8781",
        follow_redirects=False,
    )
    other.cookies.set(cookie_name(8781), cookie)
    assert other.get("/", headers=HTML).status_code == 303


def test_a_copied_cookie_is_worth_nothing_after_the_log_out(site):
    copied = dict(site.client.cookies)
    csrf = site.get("/").split('name="csrf" value="')[1].split('"')[0]
    site.client.post("/logout", data={"csrf": csrf}, headers={"origin": "http://127.0.0.1:8780"})
    site.client.cookies.update(copied)
    answer = site.client.get("/", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2F")
    assert "Log out" not in site.get("/login")
    assert site.client.get("/live/overview").status_code == 401


def test_a_stream_ends_with_its_session(site, monkeypatch, in_one_loop):
    monkeypatch.setattr(hub, "PING_S", 0.1)

    async def scenario(browser):
        page = (await browser.get("/")).text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        stream = asyncio.create_task(browser.get("/live/overview"))
        await asyncio.sleep(0.5)
        assert not stream.done()
        await browser.post("/logout", data={"csrf": csrf}, headers={"origin": "http://127.0.0.1:8780"})
        assert (await asyncio.wait_for(stream, 10)).text.startswith("event: hello")

    in_one_loop(scenario)
