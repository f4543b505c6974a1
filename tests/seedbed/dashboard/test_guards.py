import pytest

from seedbed.errors import UsageError

BASE = "http://127.0.0.1:8780"


def test_every_answer_forbids_scripts_and_styles_from_elsewhere(site):
    for path in ("/", "/nope", "/static/live.js", "/login"):
        policy = site.client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_an_answer_that_nobody_foresaw_forbids_them_as_well(site, monkeypatch):
    monkeypatch.delattr(site.client.app.state, "hub")
    answer = site.client.get("/live/overview", headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_page_has_a_script_or_a_style_of_its_own(site):
    site.record()
    site.look()
    for path in ("/", "/runs", f"/runs/{site.run_id}", "/data", "/login"):
        page = site.get(path)
        assert "<style" not in page
        assert "style=" not in page
        assert " on" + "click" not in page
        assert all("src=" in tag for tag in page.split("<script")[1:])


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8780", "127.0.0.1.evil.example", ""])
def test_another_name_for_this_server_is_refused(site, host):
    answer = site.client.get("/", headers={"host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8780", "localhost:9", "LOCALHOST"])
def test_its_own_names_are_answered(site, host):
    assert site.client.get("/login", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8780", "null"])
def test_what_another_site_sends_changes_nothing(site, origin):
    for path in ("/login", "/logout"):
        assert site.client.post(path, data={"token": "the-token"}, headers={"origin": origin}).status_code == 403


def test_a_form_without_an_origin_is_refused(site):
    assert site.client.post("/logout").status_code == 403


def test_another_machine_is_let_in_only_on_purpose(registry, tmp_path):
    from seedbed.dashboard.server import serve
    from seedbed.state import StateDirectory

    with pytest.raises(UsageError, match=r"--host 0\.0\.0\.0 lets other machines in.*Add --open"):
        serve(registry, [], StateDirectory(tmp_path), host="0.0.0.0", port=0, is_open=False)
