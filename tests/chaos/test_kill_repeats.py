"""`kill -9` in each phase of `repeats`, which a run has only when it asks for it; and one worker against two."""

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

ASK = (
    "--set",
    "data.repeats={lines: {min_words: 3}, paragraphs: {}, substrings: {min_words: 20}}",
    "--until",
    "corpus",
)


def test_killed_in_every_phase_and_with_other_workers_it_makes_the_same(make_workspace, tmp_path):
    calm, killed = make_workspace(tmp_path / "calm"), make_workspace(tmp_path / "killed")
    calm.run(*ASK, "--set", "cluster.data_workers=1")
    points = [f"repeats.{phase}.part" for phase in ("signs", "again", "places", "later", "map")]
    marks = tmp_path / "marks"
    faults = {"SEEDBED_FAULT": ",".join([*points, "repeats.manifest"]), "SEEDBED_FAULT_ONCE": str(marks)}
    two = ("--set", "cluster.data_workers=2")
    killed.run(*ASK, *two, expect=-9, **faults)
    assert sorted(mark.name for mark in marks.iterdir()) == sorted([*points, "repeats.manifest"])
    killed.run(*ASK, *two)
    made, expected = killed.steps(), calm.steps()
    assert made["repeats"]["bytes_cut"] > 0
    for kind in ("repeats", "corpus"):
        assert (made[kind]["digest"], made[kind]["counts"]) == (expected[kind]["digest"], expected[kind]["counts"])
