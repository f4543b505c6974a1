"""The budget while the data goes its way."""


def test_what_deduplicate_left_refuses_before_a_tokenizer_is_trained(bench):
    """Every token takes a byte at least, so few bytes are surely too few tokens; the crawl's size still let it pass."""
    copies = [bench.response(f"https://copy.example/{n}", bench.page(1)) for n in range(40)]
    bench.put("copies.warc.gz", bench.warc(*copies))
    few = ("--set", "budget.max_repeats=0.05")  # 256 training tokens: 5,120 unique ones at least
    assert bench.json("plan", bench.run_file, *few)["verdict"] == "pass"
    said = bench.run_error(*few, until="export", code=3)
    assert "256 training tokens / at most " in said
    assert "unique tokens (by the bytes that are left) = at least " in said
    states = {kind: step["state"] for kind, step in bench.steps().items()}
    assert (states["deduplicate"], states["corpus"], states["tokenizer"]) == ("done", "to do", "to do")
