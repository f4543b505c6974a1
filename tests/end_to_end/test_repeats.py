"""Passages that several pages of a crawl have in common: a whole run by the command line, and what it tells of them."""

import json

PASSAGE = " ".join(f"word{n} and" for n in range(30))
NOTICE = "All rights to this text are kept by those who wrote it."

SECTION = """\
  repeats:
    lines: {max_documents: 3}
    substrings: {}
"""


def put_crawl(bench) -> None:
    """Six documents of a file of JSON Lines and two of another."""
    held = {
        1: f"{bench.prose(1)} {PASSAGE} Here {bench.prose(101)}",
        2: f"{bench.prose(2)}\n{PASSAGE}.\nThere {bench.prose(102)}",
    }
    held |= {number: f"{bench.prose(number)}\n{NOTICE}\n{bench.prose(number + 100)}" for number in (3, 4, 5)}
    rows = [{"text": held.get(n, bench.prose(n)), "url": f"https://x.example/{n}"} for n in range(6)]
    bench.put("a.jsonl", "\n".join(map(json.dumps, rows)) + "\n")
    rows = [{"text": f"{bench.prose(50)}\n{NOTICE}", "url": "https://x.example/50"}]
    bench.put("b.jsonl", "\n".join(map(json.dumps, rows)) + "\n" + bench.line(51) + "\n")
    bench.run_file.write_text(bench.run_file.read_text().replace("  tokenizer:", f"{SECTION}  tokenizer:"))


def test_what_stands_elsewhere_is_cut_and_told(bench):
    put_crawl(bench)
    said = bench.run().out
    step = bench.steps()["repeats"]
    assert step["dropped"] == {}
    assert step["counts"]["documents_cut"] == 4  # one of two pages, and three of four
    assert step["counts"]["repeated_line_bytes_cut"] in range(3 * len(NOTICE), 3 * (len(NOTICE) + 1) + 1)
    assert step["counts"]["repeated_substring_bytes_cut"] in (len(PASSAGE), len(PASSAGE) + 1)
    assert step["bytes_in"] - step["bytes_out"] == step["bytes_cut"]
    assert f"{step['bytes_cut']:,} of {step['bytes_in']:,} bytes cut out of 4 documents" in said

    found = {n: bench.why(f"https://x.example/{n}") for n in (1, 2, 3, 4, 5, 50)}
    assert {told["outcome"] for told in found.values()} == {"kept"}
    losers = {n: told["repeats"] for n, told in found.items() if told["repeats"]}
    keeper = next(told["document_id"] for n, told in found.items() if n > 2 and n not in losers)
    for n, (piece,) in losers.items():
        if n > 2:
            assert (piece["reason"], piece["first_in"], piece["phrase"]) == ("repeated_line", keeper, NOTICE)
        else:
            assert (piece["reason"], piece["first_in"]) == ("repeated_substring", found[3 - n]["document_id"])
    loser = next(n for n in losers if n > 2)
    out = bench.seedbed("why", f"https://x.example/{loser}").out
    assert f"are a repeated line, first in {keeper}: {NOTICE}" in out
    assert NOTICE in bench.seedbed("sample", "repeats", "-n", "9", "--characters", "0").out


def test_a_report_says_what_was_cut(bench):
    put_crawl(bench)
    bench.run()
    bench.seedbed("report", bench.folder / "report")
    sheet = (bench.folder / "report" / "DATASHEET.md").read_text()
    assert "4 documents lost what stands elsewhere, too" in sheet
    assert "| repeats | 8 | 8 | - |" in sheet
