"""What of a training goes where, with a destination that writes down what it is given: no MLflow is loaded."""

import pytest

from seedbed.tracking.shipped import Memory
from seedbed.tracking.training_shipment import TrainingShipment


class Notebook:
    """Takes what a Destination takes, and keeps a point that is there already once, as MLflow does."""

    def __init__(self):
        self.points = {}  # run -> points

    def log(self, run, points):
        self.points.setdefault(run, set()).update(points)

    def find_run(self, tags):
        return None

    def count_runs(self, tags):
        return 0

    def create_run(self, name, tags, started_at):
        return "attempt"

    def describe(self, run, params, tags):
        pass

    def set_status(self, run, status, ended_at):
        pass

    def rows(self, metric):
        """Of every run: step, time in milliseconds, value."""
        return {
            run: sorted((point.step, point.time_ms, point.value) for point in points if point.name == metric)
            for run, points in self.points.items()
        }


@pytest.fixture
def notebook():
    return Notebook()


def shipment(tracked):
    """Another process: it knows what was remembered, and reads the journal anew."""
    memory = Memory(tracked.state, tracked.run_id, "somewhere")
    return TrainingShipment(tracked.store, tracked.plan, tracked.journal, memory)


def spend(tracked, steps_taken, at, cost):
    spent = {"steps_taken": steps_taken, "flops": steps_taken * 10**20, "wall_hours": at / 3600, "goodput": None}
    tracked.tell(event="spending", **spent, cost=cost, forecast_cost=7.5, time=at)


def test_each_event_of_spending_stands_once_in_the_run_with_its_own_time(track_run, notebook):
    tracked = track_run()
    tracked.begin()
    spend(tracked, 0, 3600.5, 1.0)  # while the ranks start
    tracked.steps(1, 3)
    spend(tracked, 3, 7200.25, 2.0)
    first = shipment(tracked)
    first.send(notebook, "run")
    spend(tracked, 5, 10800.0, 3.0)  # of which two were lost
    first.send(notebook, "run")
    shipment(tracked).send(notebook, "run")
    expected = [(0, 3600500, 1.0), (3, 7200250, 2.0), (5, 10800000, 3.0)]
    assert notebook.rows("spending/cost") == {"run": expected, "attempt": []}
    assert [value for _, _, value in notebook.rows("spending/flops")["run"]] == [0.0, 3e20, 5e20]
    assert [value for _, _, value in notebook.rows("spending/forecast_cost")["run"]] == [7.5] * 3
    assert notebook.rows("spending/goodput")["run"] == []  # unknown is left out


def test_spending_that_was_sent_and_not_remembered_is_sent_again_as_it_was(track_run, notebook):
    tracked = track_run()
    tracked.begin()
    spend(tracked, 2, 3600.5, 1.0)
    shipment(tracked).send(notebook, "run")
    sent = set(notebook.points["run"])
    Memory(tracked.state, tracked.run_id, "somewhere").forget()
    notebook.points.clear()
    shipment(tracked).send(notebook, "run")
    assert notebook.points["run"] == sent
