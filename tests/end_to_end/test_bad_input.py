"""Crawls, records and run files that are not what they should be: what can be read is kept, what cannot is in the
ledger with its reason, and what cannot be done is told."""

import gzip
import os
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
    response, warc, pages, page, prose, line = (
        bench.response,
        bench.warc,
        bench.pages,
        bench.page,
        bench.prose,
        bench.line,
    )
    member = warc(*pages(0, 6))
    bench.put("cut.warc.gz", member[:-300])
    bench.put("cut-plain.warc", b"".join(pages(10, 3))[:-300])
    bench.put("cut-first-bytes.warc.gz", warc(*pages(20, 1))[:40])
    bench.put("one-member-cut.warc.gz", gzip.compress(b"".join(pages(30, 40)))[:-1000])
    bench.put("damaged.warc.gz", warc(*pages(80, 2)) + NOISE[:500] + warc(*pages(82, 2)))
    bench.put(
        "lying.warc", b"".join([*pages(90, 1), response("https://lie.example/", "x", num_bytes=10**15), *pages(91, 2)])
    )
    bench.put("empty.warc.gz", b"")
    bench.put("empty.jsonl", b"")
    bench.put("empty.jsonl.gz", b"")
    bench.put("empty.jsonl.zst", b"")
    bench.put("noise.warc.gz", NOISE)
    bench.put("noise.jsonl.gz", NOISE)
    bench.put("noise.jsonl.zst", NOISE)
    bench.put("nothing-within.warc.gz", gzip.compress(b"") * 3)
    bench.put("lines.jsonl", f'{line(100)}\n{{broken\n\n[1]\n{{"text": 5}}\n{{"text": " "}}\n{line(101)}\n{line(102)}')
    bench.put("cut.jsonl.gz", gzip.compress(f"{line(103)}\n{line(104)}\n".encode())[:-30])
    bench.put("bomb.jsonl.gz", gzip.compress(b'{"text": "' + b"a" * 60_000_000 + b'"}\n' + line(105).encode()))
    bench.put(
        "claims.warc.gz",
        warc(
            response("https://claims.example/png", PNG),
            response(
                "https://claims.example/no-gzip", NOISE[:1000], "Content-Type: text/html\r\nContent-Encoding: gzip"
            ),
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
            response(
                "https://charset.example/latin", f"{page(120)} <p>déjà vu, garçon</p>".encode("latin-1"), declared
            ),
            response("https://charset.example/euc-kr", korean("euc-kr").encode("euc-kr"), declared),
            response(
                "https://charset.example/sjis", ("<p>" + "これは日本語の文書です。" * 30).encode("shift_jis"), declared
            ),
            response("https://charset.example/no-such", page(121), "Content-Type: text/html; charset=no-such"),
            response(
                "https://charset.example/undefined",
                b"<p>caf\xe9</p>" * 9,
                "Content-Type: text/html; charset=undefined",
            ),
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
    bench.put(
        "killers.warc.gz",
        warc(
            response("https://kill.example/hang", HANGING),
            response("https://kill.example/grow", GROWING),
            *pages(150, 1),
        ),
    )
    bench.answer = bench.run(
        "--set",
        "data.extract.timeout_s=2",
        "--set",
        "data.extract.memory_mb=512",
        "--set",
        "data.max_quarantined_fraction=0.1",
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
        ("cut.jsonl.gz", {"kept": 1, "invalid_json": 1, "unreadable_bytes": 1}),
        ("bomb.jsonl.gz", {"record_too_large": 1, "kept": 1}),
    ],
)
def test_what_can_be_read_of_a_file_is_kept_and_the_rest_is_in_the_ledger(rude, path, outcomes):
    assert rude.outcomes(path) == outcomes


def test_a_gzip_member_of_many_records_is_read_up_to_where_it_is_cut(rude):
    found = rude.outcomes("one-member-cut.warc.gz")
    assert found.pop("truncated_record") == 1
    assert set(found) == {"kept"}
    assert 20 < found["kept"] < 40


@pytest.mark.parametrize(
    ("url", "reason", "detail"),
    [
        ("https://claims.example/png", "not_what_it_claims", "image/png sent as text/html"),
        ("https://claims.example/zip", "not_what_it_claims", "a ZIP archive sent as text/html"),
        ("https://claims.example/no-gzip", "undecodable_body", "not gzip"),
        ("https://claims.example/cut", "undecodable_body", "the gzip data ends early"),
        ("https://claims.example/undone", None, None),  # somebody has undone the encoding and left its header
        ("https://claims.example/text", None, None),
    ],
)
def test_a_record_that_is_not_what_it_claims_is_told_and_one_that_can_be_read_all_the_same_is_kept(
    rude, url, reason, detail
):
    told = rude.why(url)
    assert told["reason"] == reason
    assert (told["detail"] or "").startswith(detail or "")


@pytest.mark.parametrize(
    ("url", "charset", "says"),
    [
        ("https://charset.example/latin", "cp1252", "déjà vu, garçon"),
        ("https://charset.example/euc-kr", "cp949", "한국어 문서는 이렇게 쓴다."),
        ("https://charset.example/sjis", "cp932", "これは日本語の文書です。"),
        ("https://charset.example/no-such", "utf-8", "The "),
        ("https://charset.example/undefined", None, "caf"),  # a codec of Python that refuses to decode
        ("https://charset.example/nul", None, "caf"),
    ],
)
def test_a_page_in_a_wrong_charset_is_read_in_the_one_that_it_has(rude, url, charset, says):
    extract = rude.why(url)["history"][0]
    assert extract["step"] == "extract"
    assert charset in (None, extract["charset"])
    texts = {d["url"]: d["text"] for d in rude.json("sample", "extract", "-n", 1000, "--characters", 0)["documents"]}
    assert says in texts[url]
    assert "\ufffd" not in texts[url]


@pytest.mark.parametrize(
    ("url", "reason", "threshold"),
    [
        ("https://large.example/50-MB", "record_too_large", 16 << 20),
        ("https://large.example/bomb", "record_too_large", 16 << 20),
        ("https://large.example/deep", "markup_too_deep", 1000),
        ("https://large.example/tags", "markup_too_large", 500_000),
        ("https://large.example/within", None, None),
    ],
)
def test_a_page_that_is_too_much_is_left_out_with_its_measure_and_its_limit(rude, url, reason, threshold):
    told = rude.why(url)
    assert (told["reason"], told["threshold"]) == (reason, threshold)
    assert reason is None or told["value"] > threshold or url.endswith("bomb")


def test_a_page_that_hangs_or_kills_the_extractor_is_quarantined_and_its_neighbours_are_not(rude):
    hung, grown = rude.why("https://kill.example/hang"), rude.why("https://kill.example/grow")
    assert (hung["outcome"], hung["reason"], hung["detail"]) == (
        "quarantined",
        "extraction_timeout",
        "it took more than 2 s of processor time",
    )
    # Where the memory ends, the parser may say so or die of it.
    assert grown["outcome"] == "quarantined"
    assert grown["reason"] in ("extraction_crashed", "extraction_failed")
    assert rude.why("https://good.example/150")["outcome"] == "kept"
    [seen] = rude.json("sample", "extract", "--reason", "extraction_timeout")["documents"]
    assert seen["url"] == "https://kill.example/hang"


def test_no_record_is_lost_on_the_way(rude):
    rows = [row for rows in rude.ledger().values() for row in rows]
    steps = rude.steps()
    assert len(rows) == steps["ledger"]["records_in"] == steps["extract"]["records_in"]
    assert sum(row["outcome"] == "kept" for row in rows) == steps["corpus"]["records_out"]
    assert all(row["reason"] for row in rows if row["outcome"] != "kept")


def test_too_much_quarantine_fails_the_run_keeps_its_work_and_lets_one_look(bench):
    bench.put("a.warc.gz", bench.warc(*bench.pages(0, 30), bench.response("https://kill.example/hang", HANGING)))
    quickly = ("--set", "data.extract.timeout_s=1")
    error = bench.run_error(*quickly, code=1)
    run = bench.json("show")["runs"][0]["run"]
    assert error == (
        "extract: 1 extraction_timeout of 31 records: 3.23% failed in the extractor, allowed are 0.10% "
        "(data.max_quarantined_fraction). What was read is kept: look at what failed with `seedbed sample extract "
        f"--reason extraction_timeout --run {run}`, then raise the limit or take the file out"
    )
    assert bench.why("https://kill.example/hang")["outcome"] == "quarantined"
    assert "https://kill.example/hang" in bench.seedbed("sample", "extract", "--reason", "extraction_timeout").out
    allowed = bench.run(*quickly, "--set", "data.max_quarantined_fraction=0.5")
    assert "cached" in allowed.out.splitlines()[0]
    # What another run allows is not inherited.
    assert bench.run_error(*quickly, code=1).startswith("extract: 1 extraction_timeout of 31 records")


NOTHING_TO_LEARN = (
    "the corpus has no text in its {split} split (documents: {train} in train, {held} in validation): `seedbed show "
    "{run}` says what was dropped and why; give it more data, or change data.select or data.split.validation_fraction"
)


@pytest.mark.parametrize(
    ("override", "split", "train", "held"),
    [
        ("data.select.gopher_quality.min_words=5000", "train", 0, 0),  # nothing survives `select`
        ("data.split.validation_fraction=1e-9", "validation", 20, 0),
        ("data.split.validation_fraction=0.999999999", "train", 0, 20),
    ],
)
def test_a_corpus_that_leaves_nothing_to_learn_from_or_to_measure_by_is_refused(bench, override, split, train, held):
    bench.put("a.warc.gz", bench.warc(*bench.pages(0, 20)))
    error = bench.run_error("--set", override, code=2)
    run = bench.json("show")["runs"][0]["run"]
    assert error == NOTHING_TO_LEARN.format(split=split, train=train, held=held, run=run)
    assert bench.why("https://good.example/3")["document_id"] == "docs/a.warc.gz#3"


def test_of_a_crawl_of_one_page_many_times_one_is_kept_and_the_others_name_it(bench):
    bench.put("a.warc.gz", bench.warc(*[bench.response(f"https://same.example/{n}", bench.page(0)) for n in range(30)]))
    assert "has no text in its " in bench.run_error(code=2)
    told = [bench.why(f"https://same.example/{n}") for n in range(30)]
    [keeper] = [record["document_id"] for record in told if record["outcome"] == "kept"]
    lost = [record for record in told if record["outcome"] == "dropped"]
    assert {(record["reason"], record["duplicate_of"]) for record in lost} == {
        ("exact_duplicate", keeper),
        ("near_duplicate_of_heldout", keeper),
    }
    assert len(lost) == 29


def test_a_crawl_without_a_single_page_is_told_as_one(bench):
    bench.put("a.warc.gz", bench.warc(bench.response("https://x.example/", "", "Content-Type: image/png")))
    assert bench.run_error(code=2).startswith("the corpus has no text in its train split")
    assert bench.why("https://x.example/")["reason"] == "content_type_not_text"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nowhere", "nothing is at nowhere: expected a file, a folder or a glob that matches some"),
        ("crawl", "the folder crawl is empty"),
        ("crawl/*.warc.gz", "no file matches crawl/*.warc.gz: check the pattern, or name a folder"),
        ("crawl/**/*.jsonl", "no file matches crawl/**/*.jsonl: check the pattern, or name a folder"),
        ("/dev/null", "nothing is at /dev/null: expected a file, a folder or a glob that matches some"),
    ],
)
def test_a_source_with_nothing_in_it_starts_nothing(bench, path, says):
    where = path if path.startswith("/") else f"{bench.folder}/{path}"
    assert bench.run_error("--set", f"data.sources.docs.path={where}", code=2) == f"data.sources.docs.path: {says}"
    assert not bench.store.exists()
    assert not bench.state.exists()


def test_names_in_capitals_with_spaces_letters_and_signs_are_names(bench):
    folder = bench.crawl.rename(bench.folder / "crawl ü한 #x%20")
    bench.crawl = folder
    names = ("A ü #1.WARC.GZ", "sub dir/x[1]*?.WARC.gz", "line\nbreak.Warc.Gz", "a::b.warc.gz", "#3.warc.gz")
    for number, name in enumerate(names):
        bench.put(name, bench.warc(*bench.pages(10 * number, 4)))
    bench.put("J.JSONL", bench.line(90))
    bench.put("K.Jsonl.GZ", gzip.compress(bench.line(91).encode()))
    bench.run("--set", f'data.sources.docs.path="{folder}"')
    for number, name in enumerate(names):
        told = bench.why(f"docs/{name}#2")
        assert (told["document_id"], told["url"]) == (f"docs/{name}#2", f"https://good.example/{10 * number + 2}")
    assert bench.why("docs/J.JSONL#0")["outcome"] == "kept"
    assert bench.why("docs/K.Jsonl.GZ#0")["outcome"] == "kept"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "run.yaml:1: expected keys and values: name, data, model, training, cluster"),
        ("just words", "run.yaml:1: expected keys and values: name, data, model, training, cluster"),
        ("\tname: x", "run.yaml:1: this is not YAML: found character '\\t' that cannot start any token"),
        ("a: " + "[" * 3000, "run.yaml:1: too many lists and mappings stand within each other"),
        ("a: " + "[" * 100 + "]" * 100, "run.yaml:1: too many lists and mappings stand within each other"),
        (
            "a0: &a0 [1, 1]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(25)),
            "run.yaml:1: more than 100,000 values: are there aliases of aliases?",
        ),
        ("name: rude\nname: rude", "run.yaml:2: name: the key stands twice, first in line 1"),
        ('name: "\\ud800"', "run.yaml:1: name: found half a surrogate pair, expected whole characters"),
        (
            "model: none.yaml",
            "run.yaml:1: model: none.yaml: cannot read it: No such file or directory; name a YAML file that is there",
        ),
        ("model: crawl", "run.yaml:1: model: crawl: cannot read it: Is a directory; name a YAML file in this folder"),
        ("model: ~nobody-here/x.yaml", "run.yaml:1: model: ~nobody-here/x.yaml: there is no such user's home folder"),
    ],
)
def test_a_run_file_that_is_none_is_told_with_its_line(bench, text, says, monkeypatch):
    monkeypatch.chdir(bench.folder)
    bench.run_file.write_text(text)
    assert bench.run_error(code=2).splitlines()[0] == says


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.num_steps", "expected a dotted key, = and a value: --set training.num_steps=100"),
        ("=", "expected a dotted key, = and a value: --set training.num_steps=100"),
        ("training.num_steps=many", 'training.num_steps: found "many" (text), expected a whole number'),
        ("training.num_steps=[", "this is not YAML: expected the node content, but found '<stream end>'"),
        ("training.num_step=5", "training.num_step: unknown key; did you mean `num_steps`?"),
        ("training.num_steps.deep=1", "training.num_steps.deep: training.num_steps is 4 and has no 'deep'"),
        ("training=5", "training: found 5, expected keys and values"),
        ("model.width=" + "1" * 5000, "found a number of 5000 digits, expected 100 at most"),
        (
            "data.sources.docs.path=~nobody-here/x",
            "data.sources.docs.path: ~nobody-here/x: there is no such user's home folder",
        ),
        ("data.sources={}", "data.sources: found keys and values, expected at least 1 of them"),
        (
            "model.num_layers=!!python/object:os.system 1",
            "found the YAML tag tag:yaml.org,2002:python/object:os.system, expected none",
        ),
    ],
)
def test_an_override_that_makes_no_sense_is_told(bench, override, says):
    bench.put("a.jsonl", bench.line(0))
    assert bench.run_error("--set", override, code=2).splitlines()[0] == f"--set {override}: {says}"


def test_a_step_that_there_is_not_is_told_with_those_that_there_are(bench):
    assert bench.run_error(until="nosuch", code=2).startswith(
        "--until nosuch: there is no such step; the steps are extract,"
    )


def test_a_file_name_that_is_not_utf_8_is_told(bench):
    bench.put("a.jsonl", bench.line(0))
    (bench.crawl / os.fsdecode(b"caf\xe9.jsonl")).write_text(bench.line(1))
    assert bench.run_error(code=2) == (
        "data.sources.docs.path: the name of crawl/caf\\udce9.jsonl is not UTF-8: rename the file"
    )
