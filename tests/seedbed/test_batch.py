import json
import os
import signal
import sys
import threading

import pytest

from seedbed import batch_run
from seedbed.batch import Member, Row, expand, names, row_of, totals
from seedbed.batch_run import BatchRunner
from seedbed.errors import UsageError
from seedbed.launch import start
from seedbed.runfile.load import load_run
from seedbed.store import Store

# In place of a driver: says what one says, and fails for the run whose name ends in `bad`.
DRIVER = """
import signal, sys, time
from seedbed import runs
from seedbed.launch import ENDING_SIGNALS, Launch
from seedbed.store import Store
launch = Launch.read(sys.argv[1])
store = Store(launch.store_url)
record = runs.load(store, launch.run_id)
record.begin_attempt()
runs.save(store, record)
signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING_SIGNALS)
code = 0
if record.name.endswith("slow"):
    def end(*_):
        record.end_attempt(runs.INTERRUPTED, "SIGTERM was received")
        runs.save(store, record)
        sys.exit(75)
    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    time.sleep(60)
if record.name.endswith("silent"):
    sys.exit(137)
bad = record.name.endswith("bad")
record.end_attempt(runs.FAILED if bad else runs.FINISHED, "the disk is full" if bad else None)
runs.save(store, record)
sys.exit(1 if bad else 0)
"""


@pytest.fixture
def store(tmp_path):
    return Store(str(tmp_path / "store"))


@pytest.fixture
def crawls(run_file, monkeypatch):
    monkeypatch.chdir(run_file.parent)
    for name in ("one", "two-bad", "three", "silent", "slow"):
        (run_file.parent / f"{name}.warc.gz").write_bytes(b"x" * 1000)
    return run_file


@pytest.fixture
def runner(store, state, monkeypatch):
    def fake(*arguments):
        return [sys.executable, "-c", DRIVER, start(*arguments)[-1]]

    monkeypatch.setattr(batch_run, "start", fake)
    return BatchRunner(store, state)


def test_a_source_stands_for_its_path_and_each_run_bears_a_name_of_its_own(crawls):
    found = expand(str(crawls), ["training.num_steps=11"], "docs=one.warc.gz,three.warc.gz")
    assert found[0] == Member(
        "one.warc.gz",
        "tiny-one",
        ("training.num_steps=11", 'data.sources.docs.path="one.warc.gz"', "name=tiny-one"),
    )
    run = load_run(crawls, found[1].overrides)
    assert (run.name, run.data.sources["docs"].path) == ("tiny-three", str(crawls.parent / "three.warc.gz"))


def test_a_glob_stands_for_what_matches_and_a_file_holds_a_value_a_line(crawls):
    assert [member.name for member in expand(str(crawls), [], "data.sources.docs.path=t*.warc.gz")] == [
        "tiny-three",
        "tiny-two-bad",
    ]
    (crawls.parent / "list").write_text("# crawls\none.warc.gz\n\nthree.warc.gz\n")
    assert [member.value for member in expand(str(crawls), [], "docs=@list")] == ["one.warc.gz", "three.warc.gz"]


def test_any_key_can_have_values(crawls):
    found = expand(str(crawls), [], "training.num_steps=5, 6")
    assert [member.name for member in found] == ["tiny-5", "tiny-6"]
    assert [load_run(crawls, member.overrides).training.num_steps for member in found] == [5, 6]


@pytest.mark.parametrize(
    ("each", "says"),
    [
        ("docs", "--each docs: expected KEY=VALUES: --each crawl=a.warc.gz,b.warc.gz, or --each crawl=@FILE"),
        ("docs=", "--each docs=: there is no value; give one at least: KEY=a,b or KEY=@FILE"),
        ("docs=a,b,a", "--each docs=a,b,a: a stands there twice"),
        ("docs=none*", "--each: nothing matches none*; check the pattern and the folder it starts at"),
    ],
)
def test_what_gives_no_runs_is_refused(crawls, each, says):
    with pytest.raises(UsageError) as refused:
        expand(str(crawls), [], each)
    assert str(refused.value) == says


def test_a_key_that_there_is_not_is_refused_at_once(crawls):
    with pytest.raises(UsageError, match=r"dcs is no source of .*: its sources are docs"):
        expand(str(crawls), [], "dcs=one.warc.gz")


def test_names_keep_apart_what_is_alike_and_stay_within_their_length():
    assert names("r", ["/a/x.warc.gz", "/b/x.warc.gz"], True) == ["r-a-x-warc-gz", "r-b-x-warc-gz"]
    long = [f"/c/{'long-' * 9}{n}.warc.gz" for n in range(3)]
    found = names("run", long, True)
    assert len(set(found)) == 3 and all(len(name) <= 40 for name in found)
    assert names("r", ["CC-MAIN-2024-10/"], True) == ["r-cc-main-2024-10"]


def test_a_run_that_fails_holds_up_no_other_and_the_batch_fails(crawls, runner):
    said = []
    members = expand(str(crawls), [], "docs=one.warc.gz,two-bad.warc.gz,gone.warc.gz,silent.warc.gz,three.warc.gz")
    rows = runner.carry_out(str(crawls), members, None, None, said.append)
    assert [(row.name, row.state) for row in rows] == [
        ("tiny-one", "finished"),
        ("tiny-two-bad", "failed"),
        ("tiny-gone", "failed"),
        ("tiny-silent", "failed"),
        ("tiny-three", "finished"),
    ]
    assert rows[1].error == "the disk is full"
    assert rows[2].error.startswith("data.sources.docs.path: nothing is at ") and rows[2].run is None
    assert rows[3].error == "its driver ended with exit code 137 before it said how"
    assert runner.exit_code == 1
    assert said[0] == "[1 of 5] tiny-one: one.warc.gz"


def test_a_batch_without_a_failure_leaves_with_0(crawls, runner):
    rows = runner.carry_out(str(crawls), expand(str(crawls), [], "docs=one.warc.gz"), None, None, print)
    assert ([row.state for row in rows], runner.exit_code) == (["finished"], 0)


def test_sigterm_reaches_the_driver_and_ends_the_batch(crawls, runner):
    members = expand(str(crawls), [], "docs=slow.warc.gz,one.warc.gz")
    before = signal.getsignal(signal.SIGTERM)
    reading, writing = os.pipe()
    runner._output = os.fdopen(writing, "wb")

    def end_when_ready():
        with os.fdopen(reading, "rb") as lines:
            assert lines.readline() == b"ready\n"
            os.kill(os.getpid(), signal.SIGTERM)

    helper = threading.Thread(target=end_when_ready, daemon=True)
    helper.start()
    rows = runner.carry_out(str(crawls), members, None, None, print)
    helper.join(timeout=20)
    runner._output.close()
    assert [row.state for row in rows] == ["interrupted", "not started"]
    assert runner.exit_code == 75
    assert signal.getsignal(signal.SIGTERM) is before


def step(kind, records_in, records_out, dropped, counts=None):
    return {
        "kind": kind,
        "state": "done",
        "records_in": records_in,
        "records_out": records_out,
        "dropped": dropped,
        "counts": counts or {},
    }


def test_a_row_sums_what_the_steps_of_the_funnel_took_away():
    steps = [
        step("extract", 100, 70, {"revisit": 10, "empty_page": 20}),
        step("select", 70, 40, {"too_few_words": 25, "language": 5}),
        step("shards", None, None, {}, {"train_tokens": 900}),
        {"kind": "pretrain", "state": "to do"},
    ]
    summary = {"run": "tiny-one-1", "state": "stopped", "error": None, "steps": steps}
    row = row_of(Member("v", "tiny-one", ()), summary, 1.23)
    assert row == Row(
        "v",
        "tiny-one",
        "tiny-one-1",
        "stopped",
        None,
        1.23,
        100,
        40,
        (("too_few_words", 25), ("empty_page", 20), ("revisit", 10)),
        900,
    )
    assert totals([row, Row("w", "tiny-two", None, "failed", "no", 0.5)]) == {
        "runs": 2,
        "failed": 1,
        "records_in": 100,
        "kept": 40,
        "tokens": 900,
        "seconds": 1.7,
    }
    assert json.loads(json.dumps(row.to_json()))["top_reasons"] == {
        "too_few_words": 25,
        "empty_page": 20,
        "revisit": 10,
    }
