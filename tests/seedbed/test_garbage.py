import os
import time

import pytest

from dataprep.errors import CorruptDataError
from seedbed import runs
from seedbed.bundle import Bundle, keep
from seedbed.errors import UsageError
from seedbed.garbage import WRITING_S, Garbage, collect, find_garbage
from seedbed.lease import Leases
from seedbed.plan import make_plan
from seedbed.registry.records import Job
from seedbed.registry.states import JobState
from seedbed.runfile.load import load_run, write_resolved


@pytest.fixture
def begin(store, run_file):
    """Records a run; returns its plan."""

    def record(*overrides, state=runs.FINISHED):
        run = load_run(run_file, overrides)
        plan = make_plan(run, store)
        runs.save_plan(store, plan, write_resolved(run))
        runs.save(store, runs.RunRecord(plan.run_id, run.name, runs.now(), state))
        return plan

    return record


def folder(plan, kind):
    return f"steps/{kind}-{plan.step(kind).fingerprint}"


def contents(store):
    """Path -> bytes of everything but the locks."""
    return {path: size for path, size in store.files("").items() if not path.startswith("locks/")}


def test_an_empty_store_holds_no_garbage(store, state):
    assert find_garbage(store, state) == []


def test_what_a_run_reaches_stays_and_the_rest_can_go(store, state, begin):
    plan = begin()
    store.write(f"{folder(plan, 'extract')}/manifest.json", b"{}")
    store.write(f"{folder(plan, 'clean')}/edits/00000.parquet", b"not committed yet")
    store.write("steps/clean-0000000000000000/manifest.json", b"12")
    store.write("steps/clean-0000000000000000/edits/00000.parquet", b"345")
    garbage = find_garbage(store, state)
    assert garbage == [Garbage("steps/clean-0000000000000000", "no run reaches it", 5)]
    before = contents(store)
    assert collect(store, state) == garbage
    assert contents(store) == {path: size for path, size in before.items() if "0000000000000000" not in path}
    assert find_garbage(store, state) == []


def test_what_two_runs_share_goes_with_the_last_of_them(store, state, begin):
    one, other = begin(), begin("training.learning_rate=1e-4")
    for path in (folder(one, "shards"), folder(one, "pretrain"), folder(other, "pretrain")):
        store.write(f"{path}/manifest.json", b"{}")
    num_bytes = sum(store.files(f"runs/{one.run_id}").values())
    assert find_garbage(store, state) == []
    assert find_garbage(store, state, (one.run_id,)) == [
        Garbage(f"runs/{one.run_id}", "a run to forget", num_bytes),
        Garbage(folder(one, "pretrain"), "no run reaches it", 2),
    ]
    both = find_garbage(store, state, (one.run_id, other.run_id))
    assert {item.path for item in both} == {
        f"runs/{one.run_id}",
        f"runs/{other.run_id}",
        folder(one, "shards"),
        folder(one, "pretrain"),
        folder(other, "pretrain"),
    }
    assert collect(store, state, (one.run_id, other.run_id)) == both
    assert contents(store) == {}


def test_what_was_never_finished_and_scratch_of_a_committed_step_can_go(store, state, begin):
    plan = begin()
    extract, clean = folder(plan, "extract"), folder(plan, "clean")
    store.write(f"{extract}/manifest.json", b"{}")
    store.write(f"{extract}/documents/.incomplete-12ab-00000.parquet", b"123")
    store.write(f"{extract}/scratch/a/00000.parquet", b"1234")
    store.write(f"{extract}/scratch/b/00000.parquet", b"12345")
    store.write(f"{clean}/scratch/a/00000.parquet", b"still needed: clean is not committed")
    store.write(f"runs/{plan.run_id}/.incomplete-12ab-run.json", b"1")
    assert find_garbage(store, state) == [
        Garbage(f"runs/{plan.run_id}/.incomplete-12ab-run.json", "a file that was never finished", 1),
        *sorted(
            [
                Garbage(f"{extract}/documents/.incomplete-12ab-00000.parquet", "a file that was never finished", 3),
                Garbage(f"{extract}/scratch", "work that a committed step no longer needs", 9),
            ],
            key=lambda item: item.path,
        ),
    ]


def test_what_a_living_process_writes_is_left_alone(store, state, begin):
    plan = begin(state=runs.RUNNING)
    name = folder(plan, "clean").removeprefix("steps/")
    store.write(f"steps/{name}/edits/.incomplete-12ab-00000.parquet", b"1")
    store.write("steps/clean-0000000000000000/edits/00000.parquet", b"1")
    store.write(f"runs/{plan.run_id}/.incomplete-12ab-run.json", b"1")
    assert len(find_garbage(store, state)) == 3
    leases = Leases(store, state)
    with (
        leases.hold(name),
        leases.hold("clean-0000000000000000"),
        leases.hold(runs.lease_name(plan.run_id)),
    ):
        assert find_garbage(store, state) == []
        with pytest.raises(UsageError) as refused:
            find_garbage(store, state, (plan.run_id,))
        assert str(refused.value) == f"run {plan.run_id} is running: stop it first"
    # A driver that is gone without a word runs no more.
    assert find_garbage(store, state, (plan.run_id,))[0].path == f"runs/{plan.run_id}"


def test_what_is_left_of_a_half_recorded_run_and_of_a_broken_checkpoint_can_go(store, state, begin):
    plan = begin()
    store.write("runs/tiny-00000000/plan.json", b"123")
    broken = f"{folder(plan, 'pretrain')}/checkpoints/broken-step-5"
    store.write(f"{broken}/rank-0.pt", b"12")
    store.write(f"{broken}/rank-1.pt", b"34")
    store.write(f"{folder(plan, 'pretrain')}/checkpoints/step-4/rank-0.pt", b"good")
    assert find_garbage(store, state) == [
        Garbage("runs/tiny-00000000", "what is left of a run", 3),
        Garbage(broken, "a checkpoint that could not be taken up", 4),
    ]


def test_what_a_run_with_a_damaged_record_reaches_stays_until_it_is_forgotten(store, state, begin):
    plan = begin()
    store.write(f"{folder(plan, 'extract')}/manifest.json", b"{}")
    store.write(runs.record_path(plan.run_id), b"{")
    store.write("steps/clean-0000000000000000/manifest.json", b"12")
    assert [item.path for item in find_garbage(store, state)] == ["steps/clean-0000000000000000"]
    with Leases(store, state).hold(runs.lease_name(plan.run_id)), pytest.raises(UsageError, match="is running"):
        find_garbage(store, state, (plan.run_id,))
    forgotten = [item.path for item in find_garbage(store, state, (plan.run_id,))]
    assert sorted(forgotten) == sorted([f"runs/{plan.run_id}", folder(plan, "extract"), "steps/clean-0000000000000000"])


def test_while_a_plan_cannot_be_read_nothing_goes_but_what_is_asked_for(store, state, begin):
    kept, damaged = begin(), begin("training.learning_rate=1e-4")
    for path in (folder(kept, "pretrain"), folder(damaged, "pretrain"), "steps/clean-0000000000000000"):
        store.write(f"{path}/manifest.json", b"{}")
    store.write(f"runs/{damaged.run_id}/plan.json", b"{")
    before = contents(store)
    with pytest.raises(CorruptDataError) as refused:
        collect(store, state)
    said = str(refused.value)
    assert said.startswith(
        f"nothing is removed, as what run {damaged.run_id} reaches is not known: runs/{damaged.run_id}/"
    )
    assert said.endswith(f"seedbed gc --forget {damaged.run_id}")
    assert contents(store) == before
    gone = {item.path for item in collect(store, state, (damaged.run_id,))}
    assert gone == {f"runs/{damaged.run_id}", folder(damaged, "pretrain"), "steps/clean-0000000000000000"}


def test_a_run_that_is_not_there_cannot_be_forgotten(store, state, begin):
    with pytest.raises(UsageError) as refused:
        find_garbage(store, state, ("tiny-1",))
    assert str(refused.value) == "no run 'tiny-1' to forget; there are none"
    plan = begin()
    with pytest.raises(UsageError) as refused:
        find_garbage(store, state, ("tiny-1",))
    assert str(refused.value) == f"no run 'tiny-1' to forget; there are {plan.run_id}"


@pytest.mark.parametrize("waits", [JobState.QUEUED, JobState.STARTING])
def test_a_run_that_a_job_waits_for_cannot_be_forgotten(store, state, begin, waits):
    run = begin(state=runs.FAILED).run_id
    with pytest.raises(UsageError) as refused:
        find_garbage(store, state, (run,), [job("aa", run, store.place, waits)])
    assert str(refused.value) == f"run {run} is wanted by job 1, which is {waits}: seedbed stop 1 first"
    others = [job("aa", run, "/another/store", waits), job("aa", run, store.place, JobState.FAILED)]
    assert find_garbage(store, state, (run,), others)[0].path == f"runs/{run}"


def test_a_file_that_was_never_finished_goes_and_what_is_beside_it_stays(store, state, begin):
    plan = begin()
    whole, torn = f"{folder(plan, 'extract')}/documents/part.parquet", f"{folder(plan, 'extract')}/.incomplete-1-part"
    store.write(whole, b"whole")
    store.write(torn, b"to")
    assert [item.path for item in collect(store, state)] == [torn]
    assert (store.exists(whole), store.exists(torn)) == (True, False)


NO_JOB = "a bundle of no run that is kept and no job that goes on"
NO_COPY = "a copy of a bundle that no job needs now"


def job(digest, run_id, store_url, state):
    return Job(
        key="k", run_id=run_id, name="tiny", project="p", owner="me", cluster="local", store_url=store_url,
        bundle=digest, cpus=1, gpus=0, id=1, state=state,
    )  # fmt: skip


def test_a_bundle_stays_while_its_run_is_there_or_its_job_goes_on(store, state, begin, tmp_path):
    kept, forgotten = begin(), begin("training.learning_rate=1e-4")
    (tmp_path / "x.zip").write_bytes(b"1234")
    for digest, run_id in (("aa", kept.run_id), ("bb", forgotten.run_id)):
        keep(Bundle(digest, tmp_path / "x.zip"), store, run_id)
    for digest in ("cc", "dd", "ee", "ff"):  # as a Seedbed before this one kept them: no run names them
        store.write(f"bundles/{digest}.zip", b"1234")
    jobs = [
        job("cc", "gone-1", store.place, JobState.QUEUED),
        job("dd", kept.run_id, store.place, JobState.FAILED),  # it may be tried again
        job("ee", "gone-1", store.place, JobState.FAILED),
        job("ff", "gone-1", "/another/store", JobState.RUNNING),
    ]
    found = find_garbage(store, state, jobs=jobs)
    assert found == [Garbage(f"bundles/{digest}.zip", NO_JOB, 4) for digest in ("ee", "ff")]
    paths = [item.path for item in collect(store, state, (forgotten.run_id,), jobs)]
    assert paths == [f"runs/{forgotten.run_id}", "bundles/bb.zip", "bundles/ee.zip", "bundles/ff.zip"]
    assert [path for path in contents(store) if path.startswith("bundles/")] == [
        f"bundles/{digest}.zip" for digest in ("aa", "cc", "dd")
    ]


def test_copies_of_bundles_on_this_machine_go_when_no_job_needs_them(store, state):
    folder = state.folder("bundles")
    for name in ("aa.zip", "bb.zip", "cc.zip", "cc.zip.1.incomplete", "dd.zip.2.incomplete"):
        (folder / name).write_bytes(b"123")
    long_ago = time.time() - WRITING_S - 60
    os.utime(folder / "dd.zip.2.incomplete", (long_ago, long_ago))
    jobs = [job("aa", "r-1", "/another/store", JobState.RUNNING), job("bb", "r-2", store.place, JobState.STOPPED)]
    garbage = [
        Garbage("bundles/bb.zip", NO_COPY, 3, in_state=True),
        Garbage("bundles/cc.zip", NO_COPY, 3, in_state=True),
        Garbage("bundles/dd.zip.2.incomplete", "a file that was never finished", 3, in_state=True),
    ]
    assert find_garbage(store, state, jobs=jobs) == garbage
    assert collect(store, state, jobs=jobs) == garbage
    assert sorted(path.name for path in folder.iterdir()) == ["aa.zip", "cc.zip.1.incomplete"]


def test_a_copy_that_another_cleaning_takes_away_is_no_error(store, state):
    folder = state.folder("bundles")
    (folder / "aa.zip").symlink_to(folder / "gone")  # listed, and not there when it is asked for
    (folder / "bb.zip").write_bytes(b"123")
    assert find_garbage(store, state) == [Garbage("bundles/bb.zip", NO_COPY, 3, in_state=True)]
