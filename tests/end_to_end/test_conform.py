"""`seedbed conform`: from a run file to a certificate beside the run."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_a_runs_layout_gets_its_certificate(make_workspace, tmp_path):
    workspace = make_workspace(tmp_path)
    layout = ("--set", "training.pipeline_stages=2", "--set", "training.precision=bf16")
    answer = workspace.seedbed("conform", workspace.run_file, *layout)
    assert "this layout computes what one plain process computes" in answer.out
    [path] = (workspace.store / "runs").glob("*/conformance.json")
    certificate = json.loads(path.read_text())
    assert certificate["passed"] is True
    assert certificate["run"] == path.parent.name
    assert (certificate["layout"]["pipeline_stages"], certificate["layout"]["precision"]) == (2, "bf16")
    assert {"torch", "deepspeed", "seedbed", "python"} == certificate["software"].keys()
    assert [case["passed"] for case in certificate["cases"]] == [True, True]
    assert all(check["error"] <= check["limit"] for case in certificate["cases"] for check in case["checks"])
    shown = workspace.json("show", path.parent.name)
    assert shown["conformance"]["passed"] is True
    assert shown["conformance"]["is_of_these_ranks"] is True
    assert shown["state"] == "planned"  # nothing was trained

    plan = path.with_name("plan.json")  # as a run with other ranks writes it: it has the same name
    written = json.loads(plan.read_text())
    written["config"]["cluster"]["training_ranks"] = 4
    plan.write_text(json.dumps(written))
    assert workspace.json("show", path.parent.name)["conformance"]["is_of_these_ranks"] is False
    assert "2 ranks, not this run's number" in workspace.seedbed("show", path.parent.name).out.replace("\n", " ")


def test_an_impossible_layout_is_refused_with_the_nearest_possible_one(make_workspace, tmp_path):
    workspace = make_workspace(tmp_path)
    for command in ("plan", "conform", "run"):
        layout = ("--set", "training.pipeline_stages=2", "--set", "training.zero_stage=3")
        answer = workspace.seedbed(command, workspace.run_file, *layout, expect=2)
        assert "training.zero_stage: 3 with 2 pipeline_stages" in answer.err
        assert "take zero_stage 1, or pipeline_stages 1 with zero_stage 3" in answer.err
