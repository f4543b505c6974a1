import pytest

from seedbed.dashboard.login import TOKEN_FILE, dashboard_token
from seedbed.dashboard.watch import Watch
from seedbed.errors import UsageError
from seedbed.state import StateDirectory

BASE, TOKEN = "http://127.0.0.1:8780", "the-token"
HTML = {"accept": "text/html"}
PAGES = [
    "/",
    "/runs",
    "/runs/x",
    "/runs/x/logs",
    "/runs/x/plan",
    "/data",
    "/data/document?run=x",
    "/data/samples?run=x",
]
STREAMS = ["/live/overview", "/live/runs", "/live/runs/x", "/live/runs/x/logs?attempt=1", "/runs/x/curves.json"]


@pytest.fixture
def stranger(registry, tmp_path, client_of):
    return client_of(Watch(registry, [], StateDirectory(tmp_path / "state")))


def test_the_token_is_made_once_and_is_the_owners_alone(tmp_path):
    token = dashboard_token(StateDirectory(tmp_path))
    assert len(token) >= 40
    assert dashboard_token(StateDirectory(tmp_path)) == token
    assert (tmp_path / TOKEN_FILE).stat().st_mode & 0o777 == 0o600


def test_a_token_that_others_may_read_is_refused(tmp_path):
    dashboard_token(StateDirectory(tmp_path))
    (tmp_path / TOKEN_FILE).chmod(0o644)
    with pytest.raises(UsageError, match=r"may be read by others \(mode 0644, expected 0600\)"):
        dashboard_token(StateDirectory(tmp_path))


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_the_login_from_every_page(stranger, path):
    answer = stranger.get(path, headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2F")


@pytest.mark.parametrize("path", STREAMS)
def test_a_stranger_hears_nothing(stranger, path):
    assert stranger.get(path).status_code == 401


def test_the_token_begins_a_session_that_scripts_cannot_read(stranger):
    answer = stranger.post("/login", data={"token": TOKEN, "next": "/runs"}, headers={"origin": BASE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie.split("; ")
    assert stranger.get("/", headers=HTML).status_code == 200


def test_a_wrong_token_begins_none(stranger):
    answer = stranger.post("/login", data={"token": "guess"}, headers={"origin": BASE})
    assert answer.status_code == 403
    assert "not the token of this dashboard" in answer.text
    assert stranger.get("/", headers=HTML).status_code == 303


def test_a_cookie_that_was_made_up_is_worth_nothing(stranger):
    stranger.cookies.set("seedbed_session_8780", "eyJjc3JmIjogImFiYyJ9.aR8.x")
    assert stranger.get("/", headers=HTML).status_code == 303


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_the_login_leads_to_no_other_site(stranger, target):
    answer = stranger.post("/login", data={"token": TOKEN, "next": target}, headers={"origin": BASE})
    assert answer.headers["location"] == "/"


def test_logging_out_takes_the_form_of_this_session(site):
    refused = site.client.post("/logout", data={"csrf": "guess"}, headers={"origin": BASE})
    assert refused.status_code == 403
    page = site.get("/")
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    assert site.client.post("/logout", data={"csrf": csrf}, headers={"origin": BASE}).status_code == 303
    assert site.client.get("/", headers=HTML).status_code == 303
