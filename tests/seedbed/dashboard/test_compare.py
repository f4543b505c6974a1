from seedbed.dashboard.pages.compare import differences


def test_only_what_differs_is_told():
    first = {"name": "a", "training": {"num_steps": 1, "learning_rate": 0.1}, "sources": {}}
    second = {"name": "a", "training": {"num_steps": 2, "learning_rate": 0.1, "dropout": 0.0}, "sources": {}}
    assert differences([first, second]) == [
        ("training.dropout", ["not said", 0.0]),
        ("training.num_steps", [1, 2]),
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
