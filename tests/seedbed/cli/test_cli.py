import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.cli import entry
from seedbed.cli.entry import main

ROOT = Path(__file__).parents[3]
HEAVY = {
    *("torch", "ray", "mlflow", "deepspeed", "transformers", "numba", "pyarrow", "numpy", "fsspec", "tokenizers"),
    *("sqlalchemy", "alembic", "fastapi", "requests", "aiohttp", "psutil"),
}


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Runs a command line in this process: exit code, what it printed, what it printed as errors."""
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    monkeypatch.delenv("SEEDBED_STATE", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["seedbed", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return run


def test_help_loads_neither_torch_nor_ray_nor_mlflow():
    """Nor what takes long: arrays, kernels and tables are loaded inside commands."""
    question = f"""
import sys
sys.argv = ["seedbed", "--help"]
from seedbed.cli import main
try:
    main()
except SystemExit as left:
    assert not left.code
heavy = {HEAVY}
print("loaded:", sorted(heavy & set(sys.modules)))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")])}
    answer = subprocess.run(
        [sys.executable, "-c", question], capture_output=True, text=True, env=environment, check=True
    )
    assert answer.stdout.splitlines()[-1] == "loaded: []"
    assert "plan" in answer.stdout


@pytest.mark.parametrize(
    ("typed", "offered"), [("seedbed cl", "cluster"), ("seedbed cluster up --token", "--token-file")]
)
def test_the_shell_is_told_what_can_follow_and_nothing_heavy_is_loaded(typed, offered):
    question = f"""
import sys
from seedbed.cli import main
try:
    main()
except SystemExit as left:
    assert not left.code
heavy = {HEAVY}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")])}
    environment |= {"_SEEDBED_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    answer = subprocess.run(
        [sys.executable, "-c", question], capture_output=True, text=True, env=environment, check=True
    )
    assert answer.stdout.split() == [offered]


def test_planning_loads_neither_torch_nor_ray_nor_mlflow(run_file):
    question = """
import sys
sys.argv = ["seedbed", "plan", sys.argv[1], "--json"]
from seedbed.cli import main
try:
    main()
except SystemExit as left:
    assert not left.code
print("loaded:", sorted({"torch", "ray", "mlflow", "deepspeed", "transformers"} & set(sys.modules)))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")])}
    answer = subprocess.run(
        [sys.executable, "-c", question, str(run_file)], capture_output=True, text=True, env=environment, check=True
    )
    assert answer.stdout.splitlines()[-1] == "loaded: []"


def test_plan_prints_one_json_document(command, run_file):
    code, out, err = command("plan", run_file, "--json", "--set", "model.num_layers=3")
    assert (code, err) == (0, "")
    plan = json.loads(out)
    assert plan["verdict"] == "pass"
    assert plan["config"]["model"]["num_layers"] == 3
    assert plan["tokens"] == 640
    assert {"findings", "parameters", "flops", "memory_per_rank_bytes", "steps"} <= set(plan)
    assert plan["steps"][0].keys() >= {"kind", "fingerprint", "state"}


def test_plan_tells_people_steps_sizes_and_the_verdict(command, run_file):
    code, out, err = command("plan", run_file)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("run tiny-")
    assert any(line.split()[::2] == ["extract", "to"] for line in lines)
    assert "sources          2 files, 1.5 KiB" in [line.rstrip() for line in lines]
    assert "verdict: pass" in lines
    said = {line[:17].strip(): line[17:].strip() for line in lines}
    assert (
        said["checkpoint"] == "136.5 KiB, of which 3 stay (the newest, and the best): 409.5 KiB"
    )  # 11,648 parameters x 12 bytes
    assert said["memory per rank"].endswith(")")
    assert said["compute-optimal"].startswith("unknown: ")
    assert said["hours"].startswith("unknown: cluster.hardware is not stated")
    assert said["cost"].startswith("unknown: cluster.price_per_device_hour is not stated")
    assert said["predicted loss"].endswith("that besiroglu's law was fitted on")


def test_plan_tells_hours_and_cost_where_the_cluster_says_what_they_need(command, run_file):
    speed = "device_peak_flops_per_second: 1e6, mfu: {low: 0.25, high: 0.5}"
    cluster = f"cluster={{training_ranks: 2, {speed}, price_per_device_hour: 3}}"
    _, out, _ = command("plan", run_file, "--set", cluster)
    # 10 steps of 4.4 to 8.8 s; twice that on two ranks; at 3 an hour
    said = {line[:17].strip(): line[17:].strip() for line in out.splitlines()}
    assert said["hours"] == "0.0122 to 0.0244 hours of training steps; data steps are not counted"
    assert said["device hours"] == "0.0244 to 0.0489 on 2 ranks"
    assert said["cost"] == "0.0733 to 0.147 in the currency of cluster.price_per_device_hour"


def test_plan_tells_the_memory_of_each_stage_against_the_device(command, run_file):
    known = ("--set", "training.pipeline_stages=2", "--set", "cluster.device_memory_bytes=1e5")
    code, out, _ = command("plan", run_file, *known)
    assert code == 3
    lines = [line.strip() for line in out.splitlines()]
    assert any(line.startswith("memory per rank  stage 1 of 2, ") and " of 97.7 KiB (" in line for line in lines)
    assert any(line.startswith("stage 2 of 2, ") for line in lines)
    assert any(line.startswith("refuse: stage ") and "does not fit" in line for line in lines)


def test_scaling_tells_the_best_size_for_so_many_flops(command):
    code, out, _ = command("scaling", "1e21")
    assert code == 0
    said = {line.split()[0]: line for line in out.splitlines()}
    assert "2.78 G parameters on 60 G tokens, 21.6 each: 2.306 nats per token" in said["besiroglu"]
    _, out, _ = command("scaling", "1e21", "--json")
    assert {best["law"] for best in json.loads(out)["optima"]} == {"besiroglu", "hoffmann", "muennighoff"}


def test_a_refused_plan_leaves_with_3_and_shows_the_arithmetic(command, run_file):
    code, out, err = command("plan", run_file, "--set", "budget.max_flops=1000")
    assert (code, err) == (3, "")
    assert "verdict: refuse" in out
    assert "x 640 tokens = 4.399e+07 FLOPs > budget.max_flops 1000" in out


def test_a_refused_plan_names_the_nearest_that_would_pass(command, run_file):
    _, out, _ = command("plan", run_file, "--set", "budget.max_flops=3e7")  # 4,399,104 a step
    assert "would pass with training.num_steps at most 6 (384 tokens; now 10), or at most " in out
    assert "with training.num_steps 6 no limit would refuse it" in out


def test_a_wrong_run_file_leaves_with_2_and_no_traceback(command, run_file):
    code, out, err = command("plan", run_file, "--set", "training.num_step=1")
    assert (code, out) == (2, "")
    assert err == ("error: --set training.num_step=1: training.num_step: unknown key; did you mean `num_steps`?\n")


@pytest.mark.parametrize("arguments", [("plan",), ("plan", "x.yaml", "--no-such"), ("no-such",)])
def test_a_wrong_command_line_leaves_with_2(command, arguments):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: seedbed" in err


def states(out):
    return {step["kind"]: step["state"] for step in json.loads(out)["steps"]}


def test_the_store_is_named_before_or_after_the_command_or_by_the_environment(command, run_file, tmp_path, monkeypatch):
    _, out, _ = command("plan", run_file, "--json")
    fingerprint = json.loads(out)["steps"][0]["fingerprint"]
    manifest = tmp_path / "mine" / "steps" / f"extract-{fingerprint}" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"digest": "d"}')
    assert states(out)["extract"] == "to do"
    for arguments in (("--store", "mine", "plan", run_file), ("plan", run_file, "--store", "mine")):
        assert states(command(*arguments, "--json")[1])["extract"] == "cached"
    monkeypatch.setenv("SEEDBED_STORE", "mine")
    assert states(command("plan", run_file, "--json")[1])["extract"] == "cached"
    for arguments in (("--store", "other", "plan", run_file), ("plan", run_file, "--store", "other")):
        assert states(command(*arguments, "--json")[1])["extract"] == "to do"


def test_what_nobody_expected_is_one_line_and_a_traceback_in_the_state_directory(
    command, run_file, tmp_path, monkeypatch
):
    import seedbed.plan

    def broken(*_):
        raise KeyError("a defect")

    monkeypatch.setattr(seedbed.plan, "make_plan", broken)
    code, out, err = command("plan", run_file, "--state", "elsewhere")
    (log,) = (tmp_path / "elsewhere" / "logs").iterdir()
    assert (code, out) == (entry.UNEXPECTED_EXIT_CODE, "")
    assert err == f"error: unexpected KeyError: 'a defect'; this is a defect of Seedbed, its traceback is in {log}\n"
    assert "make_plan" in log.read_text()


def test_doctor_leaves_with_1_where_something_needed_is_missing(command, tmp_path, monkeypatch):
    import seedbed.doctor

    real = seedbed.doctor.find_spec
    monkeypatch.setattr(seedbed.doctor, "find_spec", lambda name: None if name == "torch" else real(name))
    code, out, err = command("doctor", "--json")
    assert (code, err) == (0, "")
    assert {check["state"] for check in json.loads(out)["checks"]} <= {"ok", "warn"}
    (tmp_path / "file").write_text("x")
    code, out, _ = command("doctor", "--store", "file/store")
    assert code == 1
    assert "missing  store: " in out


def test_plan_of_a_batch_prints_each_run_and_the_sum(command, run_file):
    code, out, err = command("plan", run_file, "--each", "training.num_steps=5,6", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [plan["name"] for plan in told["runs"]] == ["tiny-5", "tiny-6"]
    assert told["total"]["tokens"] == sum(plan["tokens"] for plan in told["runs"]) == 11 * 64
    assert (told["total"]["runs"], told["total"]["cannot_be_planned"], told["total"]["hours"]) == (2, 0, None)
    code, out, _ = command("plan", run_file, "--each", "docs=nowhere.warc.gz,crawl/a.warc.gz")
    assert code == 2
    assert "cannot be planned" in out


def test_json_of_one_run_is_what_show_prints(command, run_file):
    code, _, err = command("run", run_file, "--json")
    assert (code, err.startswith("error: --json goes with --each")) == (2, True)
