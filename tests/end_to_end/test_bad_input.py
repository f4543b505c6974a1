"""Crawls, records and run files that are not what they should be: what can be read is kept, what cannot is in the
ledger with its reason, and what cannot be done is told."""

import gzip
import random

import pytest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
NOISE = random.Random(0).randbytes(100_000)
# 200,000 attributes of one element: the parser compares each with all before it, which takes minutes.
HANGING = b"<p " + b" ".join(b"a%d=b" % n for n in range(200_000)) + b">x</p>"
# Formatting that is opened again in every paragraph: the tree grows as their product and fills the memory.
GROWING = ("<p>" + "".join(f"<b id={n}>" for n in range(300)) + "</p><p>x" * 3000).encode()


def korean(charset):
    return "<html><body><main><p>" + "한국어 문서는 이렇게 쓴다. " * 40 + "</p></main></body></html>"


@pytest.fixture(scope="module")
def rude(new_bench):
    """One run over a crawl of which each file is wrong in its own way."""
    bench = new_bench("rude")
    response, warc, pages, page, prose = bench.response, bench.warc, bench.pages, bench.page, bench.prose
    member = warc(*pages(0, 6))
    bench.put("cut.warc.gz", member[:-300])
    bench.put("cut-plain.warc", b"".join(pages(10, 3))[:-300])
    bench.put("cut-first-bytes.warc.gz", warc(*pages(20, 1))[:40])
    bench.put("one-member-cut.warc.gz", gzip.compress(b"".join(pages(30, 40)))[:-1000])
    bench.put("damaged.warc.gz", warc(*pages(80, 2)) + NOISE[:500] + warc(*pages(82, 2)))
    bench.put("lying.warc", b"".join([*pages(90, 1), response("https://lie.example/", "x", num_bytes=10**15), *pages(91, 2)]))
    bench.put("empty.warc.gz", b"")
    bench.put("empty.jsonl", b"")
    bench.put("empty.jsonl.gz", b"")
    bench.put("empty.jsonl.zst", b"")
    bench.put("noise.warc.gz", NOISE)
    bench.put("noise.jsonl.gz", NOISE)
    bench.put("noise.jsonl.zst", NOISE)
    bench.put("nothing-within.warc.gz", gzip.compress(b"") * 3)
    lines = ['{"text": "%s", "url": "https://j.example/%d"}' % (prose(100 + n), n) for n in range(3)]
    bench.put("lines.jsonl", "\n".join([lines[0], "{broken", "", "[1]", '{"text": 5}', '{"text": " "}', *lines[1:]]) + "\n")
    bench.put("cut.jsonl.gz", gzip.compress("\n".join(lines).replace("https://j", "https://k").encode())[:-30])
    bench.put(
        "claims.warc.gz",
        warc(
            response("https://claims.example/png", PNG),
            response("https://claims.example/no-gzip", NOISE[:1000], "Content-Type: text/html\r\nContent-Encoding: gzip"),
            response("https://claims.example/undone", page(110), "Content-Type: text/html\r\nContent-Encoding: gzip"),
            response("https://claims.example/text", prose(111), "Content-Type: text/plain\r\nContent-Encoding: br"),
            response("https://claims.example/cut", gzip.compress(page(112).encode())[:-20], "Content-Encoding: gzip"),
            response("https://claims.example/zip", b"PK\x03\x04" + NOISE[:100], "Content-Type: text/html"),
        ),
    )
    declared = "Content-Type: text/html; charset=utf-8"
    bench.put(
        "charsets.warc.gz",
        warc(
            response("https://charset.example/latin", f"{page(120)} <p>déjà vu, garçon</p>".encode("latin-1"), declared),
            response("https://charset.example/euc-kr", korean("euc-kr").encode("euc-kr"), declared),
            response("https://charset.example/sjis", ("<p>" + "これは日本語の文書です。" * 30).encode("shift_jis"), declared),
            response("https://charset.example/no-such", page(121), "Content-Type: text/html; charset=no-such"),
            response("https://charset.example/no-charset", b"<p>caf\xe9</p>" * 9, "Content-Type: text/html; charset=undefined"),
            response("https://charset.example/nul", b"<p>caf\xe9</p>" * 8, "Content-Type: text/html; charset=a\0b"),
        ),
    )
    bench.put(
        "large.warc.gz",
        warc(
            response("https://large.example/50-MB", b"<p>" + b"word " * (10 << 20)),
            response("https://large.example/within", prose(130) + " word" * 100_000),
            response("https://large.example/deep", b"<div>" * 100_000 + b"x"),
            response("https://large.example/tags", b"<p>x</p>" * 300_000),
            response("https://large.example/bomb", gzip.compress(bytes(60_000_000)), "Content-Encoding: gzip"),
            *pages(140, 1),
        ),
    )
    bench.put("bomb.jsonl.gz", gzip.compress(b'{"text": "' + b"a" * 60_000_000 + b'"}\n' + lines[0].replace("//j", "//l").encode()))
    bench.put(
        "killers.warc.gz",
        warc(response("https://kill.example/hang", HANGING), response("https://kill.example/grow", GROWING), *pages(150, 1)),
    )
    bench.answer = bench.run(
        "--set", "data.extract.timeout_s=1", "--set", "data.extract.memory_mb=512", "--set", "data.max_quarantined_fraction=0.1"
    )
    return bench


@pytest.mark.parametrize(
    ("path", "outcomes"),
    [
        ("cut.warc.gz", {"kept": 5, "truncated_record": 1}),
        ("cut-plain.warc", {"kept": 2, "truncated_record": 1}),
        ("cut-first-bytes.warc.gz", {"unreadable_bytes": 1}),
        ("damaged.warc.gz", {"kept": 4, "unreadable_bytes": 1}),
        ("lying.warc", {"kept": 3, "truncated_record": 1}),
        ("empty.warc.gz", {"empty_file": 1}),
        ("empty.jsonl", {"empty_file": 1}),
        ("empty.jsonl.gz", {"empty_file": 1}),
        ("empty.jsonl.zst", {"empty_file": 1}),
        ("noise.warc.gz", {"unreadable_bytes": 1}),
        ("noise.jsonl.gz", {"unreadable_bytes": 1}),
        ("noise.jsonl.zst", {"unreadable_bytes": 1}),
        ("nothing-within.warc.gz", {"unreadable_bytes": 1}),
        ("lines.jsonl", {"kept": 3, "invalid_json": 1, "blank_line": 1, "no_text_field": 2, "empty_page": 1}),
        ("bomb.jsonl.gz", {"record_too_large": 1, "exact_duplicate": 1}),
    ],
)
def test_what_can_be_read_of_a_file_is_kept_and_the_rest_is_in_the_ledger(rude, path, outcomes):
    assert rude.outcomes(path) == outcomes


def test_a_gzip_member_of_many_records_is_read_up_to_where_it_is_cut(rude):
    found = rude.outcomes("one-member-cut.warc.gz")
    assert found.pop("truncated_record") == 1
    assert set(found) == {"kept"}
    assert 20 < found["kept"] < 40
