import pytest

from seedbed import runs
from seedbed.errors import UsageError
from seedbed.state import StateDirectory
from seedbed.store import Store
from seedbed.tracking.catch_up import catch_up
from seedbed.tracking.shipment import Backlog, Shipment


def test_a_run_that_is_not_tracked_is_not_sent(track_run):
    tracked = track_run(enabled="false")
    [result] = catch_up(tracked.store, tracked.state, [None])
    assert (result.run, result.failed) == (tracked.run_id, False)
    assert result.said == "its run file says tracking.enabled: false; nothing is sent"
    assert not (tracked.state.root / "mlflow").exists()


def test_a_run_that_never_started_tells_nothing_of_one_that_shares_its_training(track_run):
    tracked = track_run()
    tracked.begin()
    tracked.steps(1, 3)
    compared = runs.load(tracked.store, tracked.run_id)
    compared.attempts.clear()  # as `seedbed conform` leaves it
    runs.save(tracked.store, compared)
    [result] = catch_up(tracked.store, tracked.state, [None])
    assert result.said == "was planned and never started; nothing is sent"
    assert not (tracked.state.root / "mlflow").exists()


def test_a_run_that_another_process_sends_is_left_to_it(track_run):
    tracked = track_run()
    with _held(tracked):
        [result] = catch_up(tracked.store, tracked.state, None)
    assert result.said == "another process is sending it"


def _held(tracked):
    from seedbed.lease import Leases

    return Leases(tracked.store, tracked.state).hold(Shipment.lease_name(tracked.run_id))


def test_a_run_that_cannot_be_read_fails_alone(track_run):
    tracked = track_run(enabled="false")
    tracked.store.write("runs/tiny-0/run.json", b"{")
    newer = runs.load(tracked.store, tracked.run_id)
    newer.run = "tiny-1"
    runs.save(tracked.store, newer)
    tracked.store.write("runs/tiny-1/plan.json", b"{")
    results = {result.run: result for result in catch_up(tracked.store, tracked.state, None)}
    assert {run: result.failed for run, result in results.items()} == {
        "tiny-0": True,
        "tiny-1": True,
        tracked.run_id: False,
    }
    assert results["tiny-0"].said.startswith("runs/tiny-0/run.json is damaged")
    assert results["tiny-1"].said.startswith("runs/tiny-1/plan.json is damaged")


def test_an_unknown_run_is_an_error_of_its_user(tmp_path):
    with pytest.raises(UsageError, match="no runs in"):
        catch_up(Store(str(tmp_path / "store")), StateDirectory(tmp_path / "state"), ["nobody"])


def test_what_is_left_is_counted_without_mlflow(track_run):
    tracked = track_run()
    assert Shipment(tracked.store, tracked.state, tracked.plan).backlog() == Backlog(0, 0, ())
    tracked.commit("extract")
    tracked.commit("annotate")  # its turn has not come: `clean` is missing
    tracked.begin()
    tracked.steps(1, 3)
    left = Shipment(tracked.store, tracked.state, tracked.plan).backlog()
    assert left == Backlog(6, 0, ("extract",))
    assert left.in_words() == "6 lines of the training, what extract made"
    assert Backlog(0, 0, ()).in_words() == "nothing"
