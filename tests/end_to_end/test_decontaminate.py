"""Evaluation items in a crawl: a whole run by the command line, that drops them, and one that cuts them out."""

import gzip
import json

import pytest

QUESTION = (
    "How many apples does Toula keep when she gives half of her ninety six apples to seven neighbours"  # 18 words
)
EDITED = QUESTION.replace("Toula", "ANNA").replace("apples does", "apples: does").replace("seven", "eleven").upper()
OTHER = "A passage of which the last word is to be guessed stands here and has nine words more than thirteen of them"
SHORT = "the cats that nobody saw are very old"  # 8 words: looked for as a whole
TOO_SHORT = "the cats are very old"
PLAIN = " ".join(map(str, range(1, 20)))
COMMON = "all rights to this text are kept by those who wrote it and who may be asked"  # 17 words

SETS = """\
  decontaminate:
    sets:
      sums: {path: "eval/sums*.jsonl.gz", fields: [question, answer]}
      words: {path: eval/words.txt}
    max_documents: 3
    min_words_left: 20
"""


def put_sets(bench) -> None:
    folder = bench.folder / "eval"
    folder.mkdir()
    rows = [{"question": QUESTION, "answer": "48"}, {"question": PLAIN, "answer": TOO_SHORT}]
    rows.append({"question": COMMON, "answer": None})
    lines = "\n".join(map(json.dumps, rows))
    (folder / "sums-test.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "words.txt").write_text(f"{OTHER}\n\n{SHORT}\n\n{TOO_SHORT}\n")
    text = bench.run_file.read_text().replace("  tokenizer:", f"{SETS}  tokenizer:")
    bench.run_file.write_text(text)


def put_crawl(bench) -> None:
    """Twelve documents of a file of JSON Lines and five of another."""
    held = {
        2: f"{bench.prose(2)}\n{QUESTION}?\n{bench.prose(102)}",
        3: f"{bench.prose(3)} {EDITED}. {bench.prose(103)}",
        4: f"{OTHER} {bench.prose(4, 10)}",  # nine words and a half sentence are left
        5: f"{bench.prose(5)}\n{SHORT.title()}!",
        6: f"{bench.prose(6)}\n{TOO_SHORT}, {PLAIN}",
    }
    held |= {number: f"{bench.prose(number)}\n{COMMON}" for number in range(7, 11)}
    rows = [{"text": held.get(n, bench.prose(n)), "url": f"https://x.example/{n}"} for n in range(12)]
    bench.put("a.jsonl", "\n".join(map(json.dumps, rows)) + "\n")
    bench.put("b.jsonl", "\n".join(bench.line(n) for n in range(50, 55)) + "\n")


BENCHMARKS = {
    "sums": {"items": 3, "items_not_checkable": 1, "items_found": 1, "documents": 2},
    "words": {"items": 3, "items_not_checkable": 1, "items_found": 2, "documents": 2},
}


def corpus_texts(bench) -> dict[str, str]:
    from seedbed.artifact import Artifact
    from seedbed.store import Store

    artifact = Artifact(Store(str(bench.store)), "corpus", bench.steps()["corpus"]["fingerprint"])
    units = [shard["unit"] for shard in artifact.committed()["input_shards"]]
    rows = [row for unit in units for row in artifact.read_table("corpus", unit).to_pylist()]
    return {row["url"]: row["text"] for row in rows}


def test_documents_with_an_item_are_dropped_and_told(bench):
    put_sets(bench)
    put_crawl(bench)
    said = bench.run().out
    step = bench.steps()["decontaminate"]
    assert step["dropped"] == {"contains_benchmark": 4}
    assert (step["records_in"], step["records_out"]) == (17, 13)
    assert step["benchmarks"] == BENCHMARKS
    counts = {name: step["counts"][name] for name in ("items", "items_not_checkable", "items_found", "documents_hit")}
    assert counts == {"items": 6, "items_not_checkable": 2, "items_found": 3, "documents_hit": 4}
    assert step["counts"]["common_ngrams"] == 5  # of 17 words, in four documents
    assert "benchmark sums: 1 of 3 items found in 2 documents, 1 too short or too plain to be checked" in said
    assert {f"https://x.example/{n}" for n in (2, 3, 4, 5)}.isdisjoint(corpus_texts(bench))
    assert bench.outcomes("a.jsonl") == {"kept": 8, "contains_benchmark": 4}

    told = bench.why("https://x.example/2")
    assert (told["step"], told["reason"], told["value"]) == ("decontaminate", "contains_benchmark", 1.0)
    assert told["detail"] == "sums: sums-test.jsonl.gz#0"
    [match] = told["benchmarks"]
    assert match == {
        "set": "sums",
        "item": "sums-test.jsonl.gz#0",
        "field": "question",
        "num_ngrams": 6,
        "num_found": 6,
        "num_changed": 0,
        "item_first_word": 0,
        "item_end_word": 18,
        "document_first_word": 120,
        "document_end_word": 138,
        "phrase": " ".join(QUESTION.split()[:13]),
    }
    [match] = bench.why("https://x.example/3")["benchmarks"]
    assert (match["num_found"], match["num_changed"]) == (6, 1)
    assert "are of the benchmark words, words.txt#1" in bench.seedbed("why", "https://x.example/5").out
    assert bench.why("https://x.example/0")["benchmarks"] == []


def test_cut_takes_the_items_out_and_keeps_the_rest(bench):
    put_sets(bench)
    put_crawl(bench)
    bench.run("--set", "data.decontaminate.action=cut")
    step = bench.steps()["decontaminate"]
    assert step["dropped"] == {"too_little_without_benchmark": 1}
    assert step["counts"]["documents_cut"] == 3
    texts = corpus_texts(bench)
    assert texts["https://x.example/2"] == f"{bench.prose(2)}\n\n{bench.prose(102)}"
    assert texts["https://x.example/3"] == f"{bench.prose(3)}  {bench.prose(103)}"
    assert texts["https://x.example/5"] == bench.prose(5)
    assert texts["https://x.example/7"] == f"{bench.prose(7)}\n{COMMON}"
    cut = len(QUESTION) + 1 + len(EDITED) + 1 + len(SHORT) + 1
    assert (step["bytes_cut"], step["bytes_in"] - step["bytes_out"] - cut) == (
        cut,
        len(OTHER) + 1 + len(bench.prose(4, 10)),
    )
    told = bench.why("https://x.example/2")
    assert (told["outcome"], [match["set"] for match in told["benchmarks"]]) == ("kept", ["sums"])
    assert {"step": "decontaminate", "outcome": "passed", "num_bytes": len(texts["https://x.example/2"])} in told[
        "history"
    ]


def test_a_report_says_what_was_compared(bench):
    put_sets(bench)
    put_crawl(bench)
    bench.run()
    bench.seedbed("report", bench.folder / "report")
    sheet = (bench.folder / "report" / "DATASHEET.md").read_text()
    assert "| sums | 3 | 1 | 1 | 2 |" in sheet
    assert "| decontaminate | 17 | 13 | contains_benchmark 4 |" in sheet
    assert "Compared with sums, words by their wording alone" in sheet
    page = (bench.folder / "report" / "report.html").read_text()
    assert "Evaluation sets" in page
    assert "decontaminate: contains_benchmark" in page


def test_without_the_section_there_is_no_step_and_nothing_after_it_is_another(bench):
    put_crawl(bench)
    bench.run()
    without = bench.steps()
    assert "decontaminate" not in without
    assert "has no such step, as its run file has no data.decontaminate" in bench.run_error(
        until="decontaminate", code=2
    )
    assert "has no step decontaminate" in bench.error("sample", "decontaminate", code=2)
    put_sets(bench)
    bench.run()
    of_both = bench.steps()
    same = [kind for kind, step in without.items() if step["fingerprint"] == of_both[kind]["fingerprint"]]
    assert same == ["extract", "clean", "annotate", "select", "deduplicate"]


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (
            lambda folder: (folder / "words.txt").unlink(),
            "data.decontaminate.sets.words.path: nothing is at eval/words.txt",
        ),
        (
            lambda folder: (folder / "sums-2.jsonl.gz").write_bytes(gzip.compress(b'{"q": ""}')),
            "data.decontaminate.sets.sums.path: sums-2.jsonl.gz, line 1 has no question; it has q",
        ),
    ],
)
def test_what_is_wrong_with_a_set_is_said_before_anything_is_read(bench, break_it, says):
    put_sets(bench)
    put_crawl(bench)
    break_it(bench.folder / "eval")
    assert says in bench.run_error(code=2)
    assert not bench.store.exists() or bench.json("show") == {"runs": []}
