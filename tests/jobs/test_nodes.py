import pytest

from jobs import nodes
from seedbed.errors import UsageError
from seedbed.store import Store

HERE = {"Python": "3.11.7", "torch": "2.13.0", "Seedbed's code": "12ab"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (nodes._Answer(HERE, []), None),
        (
            nodes._Answer(HERE | {"torch": "2.14.0", "Python": "3.12.1"}, []),
            "node 10.0.0.2 has Python 3.12.1 (here 3.11.7), torch 2.14.0 (here 2.13.0); give all nodes the same image",
        ),
        (
            nodes._Answer(HERE, ["STORE"]),
            "node 10.0.0.2 does not see the store STORE as this machine does: take a store that all nodes reach"
            " (s3://..., or a shared folder at the same path)",
        ),
        (
            nodes._Answer(HERE, ["/crawl/a.warc.gz"]),
            "node 10.0.0.2 does not see the source /crawl/a.warc.gz: put it where all nodes read it",
        ),
        (
            "ModuleNotFoundError: No module named 'jobs'",
            "node 10.0.0.2: ModuleNotFoundError: No module named 'jobs'; install there what is here, at the same"
            " version",
        ),
    ],
)
def test_what_a_node_lacks_is_told_with_the_cure(tmp_path, answer, problem):
    store = Store(str(tmp_path))
    if isinstance(answer, nodes._Answer) and answer.unseen == ["STORE"]:
        answer = nodes._Answer(HERE, [store.url])
        problem = problem.replace("STORE", store.url)
    assert nodes._problem("10.0.0.2", answer, HERE, store) == problem


def test_the_software_of_this_machine_is_that_of_this_machine():
    assert nodes.software() == nodes.software()
    assert {"Python", "Seedbed's code", "torch", "ray", "pyarrow"} <= nodes.software().keys()
    assert "not installed" not in nodes.software().values()


@pytest.mark.slow
def test_a_machine_with_all_it_takes_is_taken_and_one_that_lacks_a_source_is_refused(ray_session, tmp_path):
    store = Store(str(tmp_path / "store"))
    crawl = tmp_path / "crawl.warc.gz"
    crawl.touch()
    nodes.require_equal_nodes(store, [crawl])
    crawl.unlink()
    with pytest.raises(UsageError, match=r"the cluster cannot do this run:\n  node .* does not see the source .*crawl"):
        nodes.require_equal_nodes(store, [crawl])
    assert not list((tmp_path / "store").iterdir())  # the probe is gone
