import pytest

from seedbed.controller import alarm_rules
from seedbed.controller.alarm_rules import BUDGET_NEAR, HEARTBEAT_OLD, JOB_LOST
from seedbed.registry.records import Alarm
from seedbed.registry.states import Level


def kinds(alarms):
    return [(alarm.kind, alarm.level) for alarm in alarms]


@pytest.mark.parametrize(
    ("silent_s", "found"),
    [
        (None, []),
        (59.0, []),
        (60.0, [(HEARTBEAT_OLD, Level.WARNING)]),
        (600.0, [(HEARTBEAT_OLD, Level.CRITICAL)]),
    ],
)
def test_a_job_that_is_silent(make_job, silent_s, found):
    assert kinds(alarm_rules.of_job(make_job(1), silent_s, None)) == found


def test_the_sentence_does_not_change_each_second(make_job):
    [one], [two] = (alarm_rules.of_job(make_job(1), silent_s, None) for silent_s in (70.0, 80.0))
    assert one == two


@pytest.mark.parametrize(
    ("spending", "found"),
    [
        ({"flops": 8.9e11}, []),
        ({"flops": 9e11}, ["90% of budget.max_flops 1e+12 FLOPs are spent"]),
        ({"flops": 1e11, "forecast_flops": 1.1e12}, ["at its pace it will pass budget.max_flops 1e+12 FLOPs"]),
        ({"flops": 1e11, "forecast_flops": 9.9e11, "cost": 5.0, "forecast_cost": 50.0}, []),  # no limit on it
        ({}, []),
    ],
)
def test_a_limit_that_is_near(spending, found):
    limits = {"max_flops": 1e12, "max_cost": None, "max_wall_hours": None, "max_device_hours": None}
    assert alarm_rules.near_limits(limits, spending) == found


def test_a_limit_that_is_near_is_an_alarm(make_job):
    job = make_job(1, summary={"budget": {"max_cost": 10.0}})
    assert kinds(alarm_rules.of_job(job, 1.0, {"cost": 9.5})) == [(BUDGET_NEAR, Level.WARNING)]


def test_what_does_not_report_after_its_start(make_job):
    assert alarm_rules.not_heard(make_job(1), 299.0) == []
    assert kinds(alarm_rules.not_heard(make_job(1), 300.0)) == [(HEARTBEAT_OLD, Level.WARNING)]


def standing(number, kind, subject_id, message, level=Level.CRITICAL):
    return Alarm(number, kind, "job", subject_id, level, message, raised_at=0.0)


def test_only_what_changed_is_raised_and_what_is_over_is_cleared(make_job):
    lost = alarm_rules.job_lost(make_job(1, reason="gone"))
    there = standing(1, JOB_LOST, "1", lost.message)
    other = standing(2, HEARTBEAT_OLD, "2", "silent")
    assert alarm_rules.changes([there, other], [lost], frozenset()) == ([], [other])
    changed = alarm_rules.job_lost(make_job(1, reason="gone again"))
    assert alarm_rules.changes([there], [changed], frozenset()) == ([changed], [])
    assert alarm_rules.changes([], [lost], frozenset()) == ([lost], [])


def test_what_is_not_known_yet_stays_and_so_does_what_others_raised():
    undecided = standing(1, HEARTBEAT_OLD, "2", "silent")
    readers = standing(3, alarm_rules.CONTROLLER_SILENT, "x", "silent")
    assert alarm_rules.changes([undecided, readers], [], frozenset({(HEARTBEAT_OLD, "job", "2")})) == ([], [])
