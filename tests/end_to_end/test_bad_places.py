"""Stores and state directories that are full, closed, damaged, empty or something else."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def mounted(folder, options):
    """A small file system of its own at `folder`."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system that is full or read-only is mounted for this test: run it as root")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def crawled(bench):
    bench.put("a.warc.gz", bench.warc(*bench.pages(0, 20)))
    return bench


@pytest.fixture(scope="module")
def made(new_bench):
    """A run until `ledger`, to be copied."""
    bench = new_bench("made")
    bench.put("a.warc.gz", bench.warc(*bench.pages(0, 20)))
    bench.run()
    return bench


@pytest.fixture
def damaged(made, bench):
    """A copy of that run's store, to be broken; the crawl and the run file are the same."""
    shutil.copytree(made.store, bench.store)
    bench.crawl.rmdir()
    bench.crawl.symlink_to(made.crawl)
    bench.run_file = made.run_file
    return bench


FULL = (
    "No space left on device; the disk is full: free some room (`seedbed gc`) or take another --store, "
    "then run the same command again"
)


@pytest.mark.parametrize(
    "size", ["16k", "128k", *(pytest.param(size, marks=pytest.mark.thorough) for size in ("64k", "192k"))]
)
def test_a_store_without_room_is_told_and_with_room_the_same_command_goes_on(crawled, size):
    with mounted(crawled.store, f"size={size}"):
        assert crawled.run_error(code=1).endswith(FULL)
        assert list(crawled.store.rglob(".incomplete-*")) == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(crawled.store)], check=True)
        crawled.run()
        assert crawled.steps()["ledger"]["records_out"] == 20
        assert crawled.json("show", "rude")["state"] == "stopped"


def test_of_a_step_that_found_no_room_the_first_error_is_told_and_the_run_is_not_running(crawled):
    with mounted(crawled.store, "size=128k"):
        error = crawled.run_error(code=1)
        assert "/steps/" in error  # not that of writing down how the run ended
        assert crawled.json("show")["runs"][0]["state"] in ("failed", "interrupted")


def test_a_store_that_cannot_be_written_to_is_told(crawled):
    with mounted(crawled.store, "ro"):
        assert "Read-only file system" in crawled.run_error(code=1)
        assert crawled.seedbed("show").out.startswith("no runs in ")
        crawled.seedbed("plan", crawled.run_file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere: run it as somebody else")
def test_a_store_without_write_permission_is_told(crawled):
    crawled.store.mkdir(mode=0o555)
    assert "give this user the right to it, or take another --store" in crawled.run_error(code=1)


@pytest.mark.parametrize("below", ["", "deep/down"])
def test_a_store_that_is_a_file_is_told_by_every_command(crawled, below):
    crawled.store.write_text("a file")
    file, crawled.store = crawled.store, crawled.store / below
    for command in (("run", crawled.run_file), ("plan", crawled.run_file), ("show",), ("gc",), ("why", "x")):
        error = crawled.error(*command, code=1)
        assert error.endswith("a part of that path is a file, not a folder: take another --store")
    assert file.read_text() == "a file"


def test_a_state_directory_that_cannot_be_is_told_before_anything_is_begun(crawled):
    crawled.state.write_text("a file")
    assert crawled.run_error(code=1) == "cannot make state/launches: Not a directory; take another --state"
    assert not (crawled.store / "runs").exists()


def test_a_state_directory_without_room_is_told(crawled):
    with mounted(crawled.state, "size=4k,nr_inodes=100"):
        (crawled.state / "filler").write_bytes(bytes(4096))
        error = crawled.run_error(code=1)
        assert error.startswith("cannot write state/launches/rude-")
        assert "No space left on device" in error


QUESTIONS = {
    "show rude": "no runs in {store}: start one with `seedbed run RUN.yaml`, or name another --store",
    "why https://x.example/": "no runs in {store}: start one with `seedbed run RUN.yaml`, or name another --store",
    "sample select": "no runs in {store}: start one with `seedbed run RUN.yaml`, or name another --store",
    "export rude out": "no runs in {store}: start one with `seedbed run RUN.yaml`, or name another --store",
    "gc --forget rude": "no run 'rude' to forget; there are none",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_to_an_empty_store_is_answered(bench, question):
    assert bench.error(*question.split(), code=2) == QUESTIONS[question].format(store=bench.store.name)


def test_an_empty_store_is_shown_and_cleaned(bench):
    assert bench.seedbed("show").out == f"no runs in {bench.store} yet: seedbed run RUN.yaml starts one\n"
    assert bench.json("show") == {"runs": []}
    assert bench.seedbed("gc").out == "nothing to remove\n"
    assert bench.json("gc", "--dry-run")["garbage"] == []
    assert not bench.store.exists()


@pytest.fixture(scope="module")
def unfinished(new_bench):
    bench = new_bench("unfinished")
    bench.put("a.warc.gz", bench.warc(*bench.pages(0, 20)))
    bench.run(until="extract")
    return bench


NOT_FOUND = "no record {target!r} in run {run}: give its URL, or source/path#n"


@pytest.mark.parametrize("run", ["unfinished", "made"])
@pytest.mark.parametrize(
    "target",
    [
        "https://good.example/999",
        "",
        "docs/a.warc.gz",
        "docs/a.warc.gz#20",
        "docs/a.warc.gz#-1",
        "docs/a.warc.gz#99999999999999999999",
        "docs/b.warc.gz#1",
        "f" * 32,
        os.fsdecode(b"caf\xe9"),
    ],
)
def test_why_of_what_was_not_read_says_so(request, run, target):
    bench = request.getfixturevalue(run)
    name = bench.json("show")["runs"][0]["run"]
    assert bench.error("why", target, code=2) == NOT_FOUND.format(target=target, run=name)


def test_questions_to_an_unfinished_run_are_answered_as_far_as_it_came(unfinished):
    run = unfinished.json("show")["runs"][0]["run"]
    assert unfinished.error("sample", "select", code=2) == (
        f"select has not run yet: `seedbed show {run}` says where the run is"
    )
    assert unfinished.error("export", "rude", "out", code=2) == (
        f"run {run} has no export yet: `seedbed show {run}` says where it is"
    )
    assert unfinished.error("show", "nobody", code=2).startswith("no run 'nobody' in ")
    assert unfinished.error("sample", "extract", "--reason", "no-such", code=2).startswith("extract drops nothing as")
    assert unfinished.why("docs/a.warc.gz#3")["step"] == "extract"
    assert unfinished.steps()["clean"]["state"] == "to do"
    assert unfinished.seedbed("gc").out == "nothing to remove\n"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\x00\xff\xfe", os.urandom(300)])
@pytest.mark.parametrize("kind", ["extract", "ledger"])
def test_of_a_damaged_manifest_the_folder_to_remove_is_told_and_then_all_is_well(damaged, kind, content):
    folder = damaged.artifact(kind)
    (folder / "manifest.json").write_bytes(content)
    for command in (("run", damaged.run_file, "--until", "ledger"), ("plan", damaged.run_file), ("why", "x")):
        assert damaged.error(*command, code=1).endswith(f": remove the folder steps/{folder.name} and run again")
    shutil.rmtree(folder)
    damaged.run()


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def overwrite(path):
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, overwrite, empty, os.unlink])
def test_of_a_damaged_part_the_folder_to_remove_is_told_and_then_the_digests_are_as_before(made, damaged, damage):
    folder = damaged.artifact("annotate")
    for kind in ("select", "deduplicate", "corpus", "tokenizer", "shards", "ledger"):
        shutil.rmtree(damaged.artifact(kind))
    damage(folder / "attributes" / "00000.parquet")
    for command in (("run", damaged.run_file, "--until", "ledger"), ("why", "https://good.example/3")):
        assert damaged.error(*command, code=1).endswith(f"; remove the folder steps/{folder.name} and run again")
    shutil.rmtree(folder)
    damaged.run()
    steps, before = damaged.steps(), made.steps()
    assert {kind: step["digest"] for kind, step in steps.items()} == {
        kind: step["digest"] for kind, step in before.items()
    }


def test_of_a_damaged_report_of_a_unit_the_folder_to_remove_is_told(damaged):
    folder = damaged.artifact("ledger")
    (folder / "manifest.json").unlink()
    (folder / "units" / "map-00000.json").write_text("{")
    assert damaged.run_error(code=1).endswith(f": remove the folder steps/{folder.name} and run again")


AGAIN = "and run its run file again before any `seedbed gc`; what its steps made stays"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff"])
def test_of_a_damaged_plan_the_folder_to_remove_is_told_and_its_steps_stay(damaged, content):
    [folder] = (damaged.store / "runs").iterdir()
    (folder / "plan.json").write_bytes(content)
    cure = f"remove the folder runs/{folder.name} {AGAIN}"
    for command in (("show", "rude"), ("why", "x")):
        assert damaged.error(*command, code=1).endswith(cure)
    assert f"{cure}. Or give it up" in damaged.error("gc", code=1)
    shutil.rmtree(folder)
    assert damaged.run().out.count("cached") == 9


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff"])
def test_a_run_with_a_damaged_record_is_shown_as_that_and_its_steps_stay(damaged, content):
    [folder] = (damaged.store / "runs").iterdir()
    (folder / "run.json").write_bytes(content)
    cure = f"remove the folder runs/{folder.name} {AGAIN}"
    [listed] = damaged.json("show")["runs"]
    assert (listed["run"], listed["state"]) == (folder.name, "damaged")
    assert listed["error"].endswith(cure)
    assert damaged.json("show", "rude")["error"] == listed["error"]
    assert damaged.json("gc", "--dry-run")["garbage"] == []
    assert damaged.run_error(code=1).endswith(cure)  # its attempts are not to be forgotten without a word
    shutil.rmtree(folder)
    assert damaged.run().out.count("cached") == 9


def test_things_that_are_not_ours_do_not_disturb(damaged):
    (damaged.store / "runs" / "notes").mkdir()
    (damaged.store / "steps" / "notes.txt").write_text("mine")
    damaged.run()
    assert len(damaged.json("show")["runs"]) == 1
    assert [(item["path"], item["why"]) for item in damaged.json("gc", "--dry-run")["garbage"]] == [
        ("runs/notes", "what is left of a run"),
        ("steps/notes.txt", "no run reaches it"),
    ]


def test_a_state_directory_that_fills_up_on_the_way_is_told_and_with_room_the_same_command_goes_on(crawled):
    with mounted(crawled.state, "size=16k"):
        error = crawled.run_error(code=1)
        assert error.startswith("[Errno 28] No space left on device; free some room where that is")
        assert crawled.json("show")["runs"][0]["state"] == "failed"
        subprocess.run(["mount", "-o", "remount,size=8m", str(crawled.state)], check=True)
        assert crawled.run().out.count("cached") == 7
