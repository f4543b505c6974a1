from dataclasses import replace
from types import SimpleNamespace

from seedbed.dashboard.pages.compare import _steps, differences


def test_only_what_differs_is_told():
    first = {"name": "a", "training": {"num_steps": 1, "learning_rate": 0.1}, "sources": {}}
    second = {"name": "a", "training": {"num_steps": 2, "learning_rate": 0.1, "dropout": 0.0}, "sources": {}}
    assert differences([first, second]) == [
        ("training.dropout", ["not said", 0.0]),
        ("training.num_steps", [1, 2]),
    ]


def test_a_step_that_one_run_leaves_out_is_none_there():
    def plan(**steps: str) -> SimpleNamespace:
        return SimpleNamespace(steps=[SimpleNamespace(kind=kind, fingerprint=name) for kind, name in steps.items()])

    assert _steps([plan(extract="1", corpus="2"), plan(extract="1", decontaminate="3", corpus="4")]) == [
        ("extract", ["1", "1"], True),
        ("corpus", ["2", "4"], False),
        ("decontaminate", ["none", "3"], False),
    ]


def test_one_run_differs_from_nothing():
    assert differences([{"a": 1}]) == []
    assert differences([]) == []


def test_a_run_stands_beside_itself_without_a_difference(site):
    site.record()
    site.look()
    page = site.get(f"/compare?run={site.run_id}")
    assert "Choose two runs or more." in page
    assert "Nothing." in page
    assert "no run nobody is known" in site.get("/compare?run=nobody", status=404)


def test_one_id_in_two_stores_is_two_choices_and_each_leads_to_its_own(site):
    site.record()
    site.look()
    [run] = site.registry.runs()
    site.registry.see_run(replace(run, store_url="/another", created_at=run.created_at + 1), actor="test")
    site.look()
    for path in ("/compare", f"/data?run={site.run_id}@{run.store_url}"):
        page = site.get(path)
        assert f'value="{site.run_id}@/another"' in page and f'value="{site.run_id}@{run.store_url}"' in page, path
        assert "in /another" in page
    assert f'value="{site.run_id}@{run.store_url}" checked' in site.get(f"/compare?run={site.run_id}@{run.store_url}")
