import pytest

from seedbed.errors import SourceError
from seedbed.list_files import list_digests, list_paths, read_list, with_digests
from seedbed.plan import make_plan
from seedbed.runfile.load import from_resolved, load_run

KINDS = ["select", "deduplicate", "corpus", "tokenizer", "shards", "ledger", "pretrain", "evaluate", "export"]


def planned(run_file, store, *overrides):
    return make_plan(load_run(run_file, overrides), store)


def changed(before, after):
    return [step.kind for step in before.steps if step.fingerprint != after.step(step.kind).fingerprint]


@pytest.fixture
def listed(run_file):
    """The run file with a removal list beside it, named by one relative path, and two lists of domains."""
    for name in ("removals.txt", "a.txt", "b.txt"):
        (run_file.parent / name).write_text("x.example\n")
    lists = "  removals: {path: removals.txt}\n  select: {url: {blocked_domains: [a.txt, b.txt]}}\n"
    run_file.write_text(run_file.read_text().replace("model: model.yaml", f"{lists}model: model.yaml"))
    return run_file


def test_paths_start_at_the_folder_of_the_file_that_says_them(listed, tmp_path):
    run = load_run(listed)
    assert run.data.removals.path == (str(tmp_path / "removals.txt"),)
    assert run.data.select.url.blocked_domains == (str(tmp_path / "a.txt"), str(tmp_path / "b.txt"))
    assert [key for key, _ in list_paths(run.data.model_dump(mode="json"))] == [
        "data.removals.path.0",
        "data.select.url.blocked_domains.0",
        "data.select.url.blocked_domains.1",
    ]


def test_another_content_repeats_select_and_what_follows(listed, store, tmp_path):
    before = planned(listed, store)
    (tmp_path / "removals.txt").write_text("y.example\n")
    after = planned(listed, store)
    assert changed(before, after) == KINDS
    assert before.run_id != after.run_id


def test_another_folder_is_the_same_run(listed, store, tmp_path):
    before = planned(listed, store)
    (tmp_path / "far").mkdir()
    (tmp_path / "removals.txt").rename(tmp_path / "far" / "renamed.txt")
    after = planned(listed, store, f"data.removals.path={tmp_path}/far/renamed.txt")
    assert (changed(before, after), before.run_id) == ([], after.run_id)
    assert type(after).from_json(after.to_json()) == after
    assert from_resolved(after.config) == after.run


def test_a_list_that_is_not_there_is_told_by_its_key(listed, store, tmp_path):
    (tmp_path / "a.txt").unlink()
    with pytest.raises(
        SourceError, match=r"^data.select.url.blocked_domains.0: nothing is at .*a.txt: expected a file"
    ):
        planned(listed, store)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("removals.txt", "x.example\nword\n", r"data.removals.path.0: .*removals.txt, line 2: 'word' is neither a URL"),
        ("b.txt", "http://x.example\n", r"data.select.url.blocked_domains.1: .*b.txt, line 1: .* is no domain"),
    ],
)
def test_a_line_that_is_no_entry_is_told_before_anything_is_read(listed, store, tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError, match=says):
        planned(listed, store)


def test_a_list_that_changes_after_the_plan_is_refused(listed, tmp_path):
    path = str(tmp_path / "a.txt")
    digest = list_digests({"removals": {"path": path}})[path]
    assert read_list(path, digest) == b"x.example\n"
    (tmp_path / "b.txt").write_text("y.example\n")
    with pytest.raises(SourceError, match=r"b.txt was changed after the run was planned: plan again"):
        read_list(str(tmp_path / "b.txt"), digest)


def test_digests_stand_where_paths_stood():
    data = {"annotate": {"offensive_words": {"lists": {"en": ["p", "q"]}}}, "removals": None, "other": "p"}
    assert with_digests(data, {"p": "1", "q": "2"}) == {
        "annotate": {"offensive_words": {"lists": {"en": ["1", "2"]}}},
        "removals": None,
        "other": "p",
    }
