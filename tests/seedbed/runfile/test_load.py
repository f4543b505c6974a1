from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedbed.errors import RunFileError
from seedbed.runfile.load import from_resolved, load_run, resolved, write_resolved


def refusal(path, *overrides, monkeypatch):
    """The lines of the refusal, with paths as seen from the run file's folder."""
    monkeypatch.chdir(path.parent)
    with pytest.raises(RunFileError) as refused:
        load_run(path.name, overrides)
    assert refused.value.exit_code == 2
    return str(refused.value).splitlines()


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_device_that_is_not_in_the_table_is_no_device(run_file, monkeypatch):
    (line,) = refusal(run_file, "cluster.hardware=nvidia-h100-sxm5-80g", monkeypatch=monkeypatch)
    assert line.startswith(
        "--set cluster.hardware=nvidia-h100-sxm5-80g: cluster.hardware: nvidia-h100-sxm5-80g is not in the table of"
        " devices; did you mean nvidia-h100-sxm5-80gb? Known are nvidia-v100-sxm2-16gb, "
    )
    (line,) = refusal(run_file, "cluster.hardware=abacus", monkeypatch=monkeypatch)
    assert "table of devices; Known" not in line
    assert "For another device leave it out and state cluster.device_peak_flops_per_second" in line


def test_of_two_values_that_do_not_go_together_the_one_from_the_command_line_is_named(run_file, monkeypatch):
    change(run_file, "num_steps: 10", "num_steps: 100\n  warmup_steps: 40")
    said = "training: warmup_steps 40 leave nothing of num_steps 40: take warmup_steps of 39 at most, or more num_steps"
    assert refusal(run_file, "training.num_steps=40", monkeypatch=monkeypatch) == [
        f"--set training.num_steps=40: {said}"
    ]
    change(run_file, "num_steps: 100", "num_steps: 40")
    assert refusal(run_file, monkeypatch=monkeypatch) == [f"run.yaml:9: {said}"]


def test_pieces_come_from_files_or_stand_inline(run_file):
    run = load_run(run_file)
    assert (run.name, run.model.width, run.training.num_steps, run.cluster.training_ranks) == ("tiny", 16, 10, 2)
    assert run.training.learning_rate == 0.001
    assert run.budget.max_repeats == 4


def test_source_paths_start_at_the_file_that_says_them(run_file, monkeypatch):
    folder = run_file.parent
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "data.yaml").write_text("sources: {docs: {path: ../crawl}}\ntokenizer: {vocab_size: 300}\n")
    monkeypatch.chdir("/")
    run = load_run(run_file, ["data=" + str(folder / "elsewhere" / "data.yaml")])
    assert run.data.sources["docs"].path == str(folder / "crawl")


def test_urls_stay_as_they_are(run_file):
    run = load_run(run_file, ["data.sources.docs.path=s3://bucket/crawl/*.warc.gz"])
    assert run.data.sources["docs"].path == "s3://bucket/crawl/*.warc.gz"


def test_overrides_change_what_pieces_say(run_file):
    run = load_run(run_file, ["model.width=32", "training.learning_rate=5e-4", "data.select.language.keep=[en, no]"])
    assert run.model.width == 32
    assert run.training.learning_rate == 0.0005
    assert run.data.select.language.keep == ("en", "no")  # Norwegian, which YAML 1.1 takes for false


def test_an_override_of_a_path_starts_at_the_working_directory(run_file, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run = load_run(run_file, ["data.sources.docs.path=more"])
    assert run.data.sources["docs"].path == str(tmp_path / "here" / "more")


def test_a_whole_piece_can_be_put_in_place(run_file, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text((tmp_path / "model.yaml").read_text().replace("width: 16", "width: 64"))
    assert load_run(run_file, ["model.num_heads=4", f"model={other}"]).model.width == 64
    assert load_run(run_file, ["model.num_heads=4", f"model={other}"]).model.num_heads == 4


def test_an_unknown_key_names_the_nearest_and_its_place(run_file, monkeypatch):
    change(run_file, "num_steps: 10", "num_step: 10")
    assert refusal(run_file, monkeypatch=monkeypatch) == [
        "run.yaml:9: training.num_steps: missing: optimizer steps",
        "run.yaml:10: training.num_step: unknown key; did you mean `num_steps`?",
    ]


def test_a_key_in_the_wrong_piece_is_shown_its_place(run_file, monkeypatch):
    assert refusal(run_file, "learning_rate=1", monkeypatch=monkeypatch) == [
        "--set learning_rate=1: learning_rate: unknown key; did you mean `training.learning_rate`?"
    ]


def test_a_key_like_no_other_is_shown_what_there_is(run_file, monkeypatch):
    assert refusal(run_file, "data.split.zzz=1", monkeypatch=monkeypatch) == [
        "--set data.split.zzz=1: data.split.zzz: unknown key; known here: validation_fraction, seed"
    ]


def test_every_problem_is_told_with_the_file_that_it_is_in(run_file, monkeypatch):
    change(run_file, "num_steps: 10", 'num_steps: "10"')
    change(run_file, "cluster: {training_ranks: 2}", "cluster: {training_ranks: 0, device: tpu}")
    change(run_file.parent / "model.yaml", "width: 16", "width: 16.5")
    assert refusal(run_file, monkeypatch=monkeypatch) == [
        "model.yaml:2: model.width: found 16.5, expected a whole number",
        'run.yaml:10: training.num_steps: found "10" (text), expected a whole number: take the quotes away',
        "run.yaml:14: cluster.training_ranks: found 0, expected greater than or equal to 1",
        "run.yaml:14: cluster.device: found \"tpu\" (text), expected 'cpu' or 'cuda'",
    ]


def test_what_a_piece_has_wrong_in_itself_is_told_at_the_piece(run_file, monkeypatch):
    change(run_file.parent / "model.yaml", "num_heads: 2", "num_heads: 3")
    assert refusal(run_file, monkeypatch=monkeypatch) == [
        "model.yaml:1: model: width 16 is not a multiple of num_heads 3"
    ]


def test_a_key_twice_is_told_beside_the_other_problems(run_file, monkeypatch):
    change(run_file, "name: tiny", "name: tiny\nname: Other")
    change(run_file, "num_steps: 10", "num_steps: true")
    assert refusal(run_file, monkeypatch=monkeypatch) == [
        "run.yaml:2: name: the key stands twice, first in line 1",
        "run.yaml:11: training.num_steps: found true, expected a whole number",
    ]


def test_parts_that_do_not_fit_show_their_arithmetic(run_file, monkeypatch):
    overrides = ["model.vocab_size=290", "cluster.training_ranks=3", "training.pipeline_stages=2"]
    assert refusal(run_file, *overrides, monkeypatch=monkeypatch) == [
        "--set model.vocab_size=290: model.vocab_size: 290 rows are too few for data.tokenizer.vocab_size 300; take 300"
        " or more",
        "--set training.pipeline_stages=2: training.pipeline_stages: 2 stages do not divide cluster.training_ranks 3;"
        " take 2 ranks, or 1 stages",
    ]


@pytest.mark.parametrize(
    ("override", "says"),
    [
        (
            "training.global_batch_tokens=70",
            "training.global_batch_tokens: 70 = 4 x 16 + 6, but a batch is made of whole sequences of"
            " model.sequence_length 16; take 64",
        ),
        (
            "training={num_steps: 1, global_batch_tokens: 64, micro_batch_sequences: 2, learning_rate: 1,"
            " zero_stage: 0, precision: bf16}",
            "training.zero_stage: 0 with training.precision bf16: DeepSpeed would add up gradients in bf16, which loses"
            " the small ones; take zero_stage 1, which adds them up in fp32",
        ),
        (
            "data.select.offensive_score={}",
            "data.select.offensive_score: nothing gives a score: name a data.annotate.offensive_classifier",
        ),
        (
            "data.deduplicate.source_priority={docs: 1}",
            "data.deduplicate.source_priority: say it where the source is: data.sources.NAME.priority",
        ),
        (
            "data.deduplicate.expected_loss={sources: {dosc: {max_share: 0.5}}}",
            "data.deduplicate.expected_loss.sources.dosc: no such source; there are docs",
        ),
        ("data.sources={}", "data.sources: found keys and values, expected at least 1 of them"),
        ("name=Tiny", 'name: found "Tiny" (text), expected text like ^[a-z0-9][a-z0-9-]*$'),
        ("training.num_steps.x=1", "training.num_steps.x: training.num_steps is 10 and has no 'x'"),
        ("cluster=5", "cluster: found 5, expected keys and values"),
        (
            "model=nowhere.yaml",
            "model: nowhere.yaml: cannot read it: No such file or directory; name a YAML file that is there",
        ),
    ],
)
def test_a_refusal_says(run_file, override, says, monkeypatch):
    assert refusal(run_file, override, monkeypatch=monkeypatch) == [f"--set {override}: {says}"]


@pytest.mark.parametrize("override", ["training.num_steps", "=3", "a..b=3"])
def test_an_override_without_key_or_value_is_refused(run_file, override, monkeypatch):
    (line,) = refusal(run_file, override, monkeypatch=monkeypatch)
    assert line == (f"--set {override}: expected a dotted key, = and a value: --set training.num_steps=100")


def test_a_source_whose_name_could_not_lead_an_id_is_refused(run_file, monkeypatch):
    change(run_file, "    docs:", "    my/docs:")
    (line,) = refusal(run_file, monkeypatch=monkeypatch)
    assert line == (
        'run.yaml:4: data.sources.my/docs: found the name "my/docs" (text), expected text like ^[a-z0-9][a-z0-9_-]*$'
    )


@pytest.mark.parametrize(("content", "says"), [("", "expected keys and values"), ("- a", "expected keys and values")])
def test_a_file_that_is_no_mapping_is_refused(run_file, content, says, monkeypatch):
    run_file.write_text(content)
    assert refusal(run_file, monkeypatch=monkeypatch) == [
        "run.yaml:1: expected keys and values: name, data, model, training, cluster"
    ]


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path, monkeypatch):
    assert refusal(tmp_path / "no.yaml", monkeypatch=monkeypatch) == [
        "no.yaml: cannot read it: No such file or directory; name a YAML file that is there"
    ]
    (tmp_path / "runs").mkdir()
    assert refusal(tmp_path / "runs", monkeypatch=monkeypatch) == [
        "runs: cannot read it: Is a directory; name a YAML file in this folder"
    ]
    (tmp_path / "gzip.yaml").write_bytes(b"\x1f\x8b\x08\x00")
    assert refusal(tmp_path / "gzip.yaml", monkeypatch=monkeypatch) == [
        "gzip.yaml: it is not UTF-8 text (byte 1): is this a YAML file?"
    ]


def test_the_resolved_file_says_everything_and_loads_from_anywhere(run_file, tmp_path, monkeypatch):
    run = load_run(run_file)
    (tmp_path / "away").mkdir()
    away = tmp_path / "away" / "resolved.yaml"
    away.write_text(write_resolved(run))
    monkeypatch.chdir("/")
    assert load_run(away) == run
    assert str(run_file.parent / "crawl") in away.read_text()
    assert from_resolved(resolved(run)) == run


positive = st.floats(min_value=1e-300, max_value=1e300)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    learning_rate=positive,
    epsilon=positive,
    max_flops=st.none() | positive,
    licence=st.none() | st.text(),
    path=st.text(min_size=1).map("/".__add__),
    priority=st.integers(),
    languages=st.none() | st.lists(st.from_regex(r"\A[a-z]{2,3}\Z"), min_size=1),
)
def test_any_resolved_run_loads_back(run_file, learning_rate, epsilon, max_flops, licence, path, priority, languages):
    value = resolved(load_run(run_file))
    value["training"] |= {"learning_rate": learning_rate, "epsilon": epsilon}
    value["budget"]["max_flops"] = max_flops
    value["data"]["sources"]["docs"] |= {"licence": licence, "path": str(Path(path)), "priority": priority}
    value["data"]["select"]["language"] = {"keep": languages}
    run = from_resolved(value)
    again = run_file.with_name("again.yaml")
    again.write_text(write_resolved(run), encoding="utf-8", newline="")
    loaded = load_run(again)
    assert loaded.model_copy(update={"data": None}) == run.model_copy(update={"data": None})
    if "\0" not in path and "/../" not in f"{path}/":
        assert loaded.data == run.data
