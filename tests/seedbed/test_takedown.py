import json

import pytest

from dataprep.document_id import pack
from dataprep.schemas import EDITS
from dataprep.shards import SIDECAR
from seedbed.cli.takedown import NOT_LOOKED_AT_EXIT_CODE, NOTHING_FOUND_EXIT_CODE
from seedbed.errors import UsageError
from seedbed.plan import make_plan
from seedbed.runfile.load import load_run
from seedbed.runs import RunRecord, save, save_plan
from seedbed.takedown import add_entry, takedown
from tests.seedbed.conftest import A, B, rows


def told(pipeline, target):
    return takedown(pipeline.store, [pipeline.plan], target)


def names(entries):
    return [entry["document_id"] for entry in entries]


def test_a_page_is_found_in_any_spelling_with_all_that_holds_it(pipeline):
    pipeline.write("tokenizer", {})
    pipeline.write("pretrain", {})
    pipeline.write("export", {})
    answer = told(pipeline, "http://X.example/one?utm_source=mail")
    run = pipeline.plan.run_id
    assert answer["documents"] == [{"document_id": "docs/a.warc.gz#1", "url": "https://x.example/one", "runs": [run]}]
    assert answer["copies"] == [{"document_id": "docs/b.jsonl#0", "url": "https://x.example/copy", "runs": [run]}]
    assert [(a["kind"], a["holds"], a["documents"], a["runs"]) for a in answer["artifacts"]] == [
        ("extract", "text", 1, [run]),
        ("corpus", "text", 1, [run]),
        ("tokenizer", "vocabulary learnt from the corpus", 1, [run]),
        ("shards", "tokens", 1, [run]),
        ("pretrain", "weights trained on the tokens", 1, [run]),
        ("export", "weights trained on the tokens", 1, [run]),
    ]
    [shards] = [a for a in answer["artifacts"] if a["kind"] == "shards"]
    assert shards["tokens"] == [
        {"document_id": "docs/a.warc.gz#1", "shard": "train-00000", "first_token": 0, "num_tokens": 7}
    ]
    assert "keeps what it learnt" in answer["note"]


def test_checkpoints_of_a_training_that_goes_on_are_named(pipeline):
    path = f"steps/pretrain-{pipeline.plan.step('pretrain').fingerprint}/checkpoints/step-00000004/manifest.json"
    pipeline.store.write(path, b"{}")
    [pretrain] = [a for a in told(pipeline, "docs/a.warc.gz#1")["artifacts"] if a["kind"] == "pretrain"]
    assert pretrain["checkpoints"] == ["step-00000004"]


def test_a_held_out_page_was_not_trained_on(pipeline):
    pipeline.write("pretrain", {})
    assert [a["kind"] for a in told(pipeline, "docs/b.jsonl#1")["artifacts"]] == ["extract", "corpus", "shards"]


@pytest.mark.parametrize(
    ("mixture", "trained"),
    [
        (None, ["pretrain"]),
        ({"web-new": {"tokens": 8}, "web": {"tokens": 0}}, ["pretrain"]),
        ({"web-new": {"tokens": 0}, "web": {"tokens": 8}}, []),
    ],
)
def test_of_a_mixture_the_sources_that_nothing_was_taken_from_were_not_trained_on(pipeline, mixture, trained):
    pipeline.forget("shards")
    places = {"train-web-new-00000": rows(SIDECAR, {"id": pack(A, 1), "first_token": 0, "num_tokens": 7})}
    pipeline.write("shards", {"documents": places})
    pipeline.write("pretrain", {}, **({} if mixture is None else {"mixture": mixture}))
    kinds = [a["kind"] for a in told(pipeline, "docs/a.warc.gz#1")["artifacts"]]
    assert kinds == ["extract", "corpus", "shards", *trained]


def test_a_dropped_page_lies_in_extract_alone(pipeline):
    answer = told(pipeline, "https://x.example/short")
    assert [a["kind"] for a in answer["artifacts"]] == ["extract"]


def test_what_clean_put_into_a_page_and_its_url_in_the_ledger_are_told(pipeline):
    pipeline.write_ledger()
    pipeline.forget("clean")
    put = {"num_bytes": 9, "num_cut_bytes": 3, "num_added_bytes": 2, "cut_starts": [0], "cut_ends": [3]}
    put |= {"cut_rules": [0], "added_lengths": [2], "added_text": "é"}
    edits = {"00000": rows(EDITS, {"id": pack(A, 1), "num_bytes": 31}, {"id": pack(A, 2), **put})}
    edits["00001"] = rows(EDITS, {"id": pack(B, 0), "num_bytes": 17}, {"id": pack(B, 1), "num_bytes": 8})
    pipeline.write("clean", {"edits": edits})

    def held(target):
        return [(a["kind"], a["holds"], a["documents"]) for a in told(pipeline, target)["artifacts"]]

    clean, ledger = ("clean", "pieces of text in their normal form", 1), ("ledger", "URLs", 1)
    assert held("https://x.example/short") == [("extract", "text", 1), clean, ledger]
    assert held("https://x.example/copy") == [("extract", "text", 1), ledger]  # as it was read
    assert [kind for kind, _, _ in held("docs/b.jsonl#1")] == ["extract", "corpus", "shards"]  # has no URL
    assert held("x.example")[:3] == [("extract", "text", 3), clean, ("ledger", "URLs", 3)]


def test_a_copy_leads_to_the_page_that_was_kept(pipeline):
    assert names(told(pipeline, "https://x.example/copy")["copies"]) == ["docs/a.warc.gz#1"]


def test_a_domain_names_all_its_pages(pipeline):
    answer = told(pipeline, "x.example")
    assert names(answer["documents"]) == ["docs/a.warc.gz#1", "docs/a.warc.gz#2", "docs/b.jsonl#0"]
    assert answer["copies"] == []  # all of them are named


def test_the_next_run_begins_at_select(pipeline):
    coming = told(pipeline, "x.example")["next_run"]
    assert coming["kept"] == ["extract", "clean", "annotate"]
    assert coming["redone"][0] == "select"
    assert coming["redone"][-1] == "export"
    assert coming["seconds_last_time"] == {"select": 2.0, "deduplicate": 2.0, "corpus": 2.0, "shards": 2.0}
    assert (coming["changes_something"], coming["is_listed"], coming["removal_lists"]) == (True, False, [])


def test_a_list_is_looked_at_as_it_is_now(run_file, store, tmp_path):
    path = tmp_path / "removals.txt"
    path.write_text("x.example\n")
    plan = make_plan(load_run(run_file, [f"data.removals.path={path}"]), store)

    def coming(target):
        answer = takedown(store, [plan], target)["next_run"]
        return answer["is_listed"], answer["was_made_with_it"]

    assert coming("X.example") == (True, True)
    assert coming("y.example") == (False, False)
    assert add_entry(path, "y.example")
    assert coming("y.example") == (True, False)


def test_what_is_no_url_id_or_domain_is_refused(pipeline):
    with pytest.raises(UsageError, match="neither a URL"):
        told(pipeline, "word")


def test_an_entry_is_added_once_in_whatever_spelling(tmp_path):
    path = tmp_path / "removals.txt"
    path.write_text("# mine")
    assert add_entry(path, "https://x.example/a")
    assert not add_entry(path, "http://X.example/a#b")
    assert path.read_text() == "# mine\nhttps://x.example/a\n"
    path.write_text("no entry\n")
    with pytest.raises(UsageError, match=r"removals.txt, line 1: 'no entry' is neither"):
        add_entry(path, "x.example")


@pytest.fixture
def command(pipeline, capsys, monkeypatch, tmp_path):
    """`seedbed takedown` on the pipeline's store: exit code and what it printed."""
    from seedbed.cli.entry import main

    save(pipeline.store, RunRecord(pipeline.plan.run_id, "tiny", "2026-11-28T00:00:00Z"))
    save_plan(pipeline.store, pipeline.plan, "")

    def run(*arguments):
        places = ["--store", pipeline.store.url, "--state", str(tmp_path / "state")]
        monkeypatch.setattr("sys.argv", ["seedbed", *places, "takedown", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code or 0, capsys.readouterr()

    return run


def test_the_command_tells_and_adds(command, pipeline, tmp_path):
    path = tmp_path / "removals.txt"
    code, printed = command("https://x.example/one", "--add", path)
    lines = printed.out.splitlines()
    assert (code, lines[0], lines[1]) == (
        0,
        "url https://x.example/one: 1 document",
        "  docs/a.warc.gz#1  https://x.example/one",
    )
    assert "  tokens of docs/a.warc.gz#1: train-00000 from 0, 7 of them" in lines
    assert f"added to {path}" in lines
    assert any(line.startswith("then `seedbed run` keeps extract, clean, annotate and does select, ") for line in lines)
    assert path.read_text() == "https://x.example/one\n"
    code, printed = command("https://x.example/one", "--add", path, "--json", "--run", "tiny")
    assert json.loads(printed.out)["added"] == {"file": str(path), "is_new": False}


def test_the_command_says_how_to_use_a_list_and_promises_nothing_where_nothing_is(command):
    _, printed = command("https://x.example/one")
    assert (
        "not in the removal lists of the run file: `seedbed takedown https://x.example/one --add removals.txt` puts it"
        " into one; then name that list under data.removals.path of the run file\n"
    ) in printed.out
    _, printed = command("https://x.example/never")
    assert "anew:" not in printed.out and "weights" not in printed.out
    assert printed.out.splitlines()[-1].endswith("nothing is to be done anew")


def test_of_a_domain_some_documents_are_listed_and_all_when_asked(command, monkeypatch):
    monkeypatch.setattr("seedbed.cli.takedown.MAX_DOCUMENTS", 2)
    lines = command("x.example")[1].out.splitlines()
    assert lines[0] == "domain x.example: 3 documents" and lines[3] == "  and 1 more: --all lists them"
    lines = command("x.example", "--all")[1].out.splitlines()
    assert [line for line in lines if line.startswith("  docs/")] == lines[1:4] and "more:" not in "".join(lines)


def test_a_run_that_cannot_be_looked_at_is_named_and_holds_up_no_other(command, pipeline):
    save(pipeline.store, RunRecord("tiny-0", "tiny", "2026-11-29T00:00:00Z"))
    pipeline.store.write("runs/tiny-0/plan.json", b"{")
    code, printed = command("https://x.example/one", "--json")
    told = json.loads(printed.out)
    assert (code, names(told["documents"])) == (NOT_LOOKED_AT_EXIT_CODE, ["docs/a.warc.gz#1"])
    assert [(one["run"], one["why"][:29]) for one in told["not_looked_at"]] == [
        ("tiny-0", "runs/tiny-0/plan.json is dama")
    ]
    assert told["next_run"]["run"] == pipeline.plan.run_id  # the newest that can be read
    code, printed = command("https://x.example/never")  # nobody can say that it is nowhere
    assert code == NOT_LOOKED_AT_EXIT_CODE
    assert "\nrun tiny-0 could not be looked at: runs/tiny-0/plan.json is damaged" in printed.out
    code, printed = command("https://x.example/one", "--run", "tiny-0")
    assert (code, printed.out.splitlines()[-1]) == (NOT_LOOKED_AT_EXIT_CODE, "no plan can be read")


def test_what_a_run_that_still_reads_holds_nobody_can_say(command, pipeline):
    pipeline.store.delete(f"{pipeline.artifacts['extract'].path}/manifest.json")
    code, printed = command("https://x.example/one")
    assert code == NOT_LOOKED_AT_EXIT_CODE
    assert "is not finished and was not looked through" in printed.out


def test_a_run_whose_record_alone_is_damaged_is_looked_at(command, pipeline):
    pipeline.store.write(f"runs/{pipeline.plan.run_id}/run.json", b"{")
    code, printed = command("https://x.example/one")
    assert (code, printed.out.splitlines()[0]) == (0, "url https://x.example/one: 1 document")


def test_an_older_plan_says_what_its_next_run_would_do(pipeline):
    pipeline.plan.config["training"]["gone"] = 3  # what an older Seedbed took
    assert told(pipeline, "x.example")["next_run"]["redone"][0] == "select"


def test_the_exit_code_tells_that_nothing_is_there(command):
    code, printed = command("https://x.example/never")
    assert (code, printed.out.splitlines()[0]) == (NOTHING_FOUND_EXIT_CODE, "url https://x.example/never: 0 documents")
    assert command("no such thing")[0] == 2
