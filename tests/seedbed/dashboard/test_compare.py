from dataclasses import replace
from types import SimpleNamespace

from seedbed import runs
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


def test_a_run_that_cannot_be_read_is_told_and_the_others_are_compared(site):
    site.record()
    other = replace(site.plan, run_id="tiny-0")
    runs.save(site.store, runs.RunRecord("tiny-0", "tiny", "2026-11-20T09:00:00Z"))
    runs.save_plan(site.store, other, "")
    site.look()
    both = f"/compare?run={site.run_id}&run=tiny-0"
    assert "is damaged" not in site.get(both)
    site.store.write("runs/tiny-0/plan.json", b"{")
    page = site.get(both)
    assert "runs/tiny-0/plan.json is damaged" in page
    assert "Choose two runs or more." in page  # one is left
    assert f">{site.run_id}</a>" in page


def test_an_older_plan_is_compared(site):
    site.plan.config["training"]["gone"] = 3  # what an older Seedbed took
    site.record()
    site.look()
    assert "Steps planned" in site.get(f"/compare?run={site.run_id}")


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
