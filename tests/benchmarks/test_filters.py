"""Every statistic and every decision of the heuristic families, against the plain reading of the papers."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.filters.__main__ import measure
from benchmarks.filters.check import differences
from benchmarks.filters.corpus import texts
from benchmarks.filters.families import FAMILIES, decisions, seconds

DEMO = Path(__file__).parents[2] / "configs" / "crawls" / "demo"
WEB = Path(__file__).parents[3] / "shared" / "corpora" / "web"

# Documents out of pieces that the rules look at, so that shares come near their limits.
PIECE = st.sampled_from(
    [
        "the cat sat on the mat",
        "The dog and the cat have that to be with.",
        "lorem ipsum dolor",
        "- item",
        "#tag …",
        "東京は晴れ。",
        "ไทย",
        "{",
        "…",
        "\n",
        "\n\n",
        "\t",
        "x" * 40,
        "42",
        '."',
    ]
)
DOCUMENT = st.builds(
    lambda pieces, times, end: " ".join(pieces * times) + end,
    st.lists(PIECE, max_size=12),
    st.integers(0, 12),
    st.text(max_size=20),
)


def large(*texts: str) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(DOCUMENT, st.sampled_from(["en", "de", "und"])), max_size=6))
def test_made_documents_are_measured_and_decided_as_the_papers_say(documents):
    text = large(*(document for document, _ in documents))
    assert not differences(text, pa.array([language for _, language in documents], pa.string()))


def test_the_pages_of_the_demo_are_measured_and_decided_as_the_papers_say(tmp_path):
    text, languages = texts(DEMO, tmp_path)
    shorter = pa.array([page[:8_000] for page in text.to_pylist()], pa.large_string())
    assert len(shorter) > 1500
    assert not differences(shorter, languages)
    dropped = {reason: int(drops.sum()) for reason, drops in decisions(shorter, languages).items()}
    never = {reason for reason, number in dropped.items() if number == 0}
    assert never == {
        "too_many_words",
        "mean_word_too_long",
        "too_many_bullet_lines",
        "too_many_ellipsis_lines",
        "lorem_ipsum",
    }


@pytest.mark.slow
@pytest.mark.thorough
def test_all_pages_of_the_large_crawl_are_measured_and_decided_as_the_papers_say(tmp_path):
    if not WEB.exists():
        pytest.skip(f"{WEB} is not here: it is not part of the project")
    text, languages = texts(WEB, tmp_path)
    assert len(text) > 15_000
    assert not differences(text, languages)


def test_a_difference_is_told(monkeypatch):
    only_the = {"en": {"udhr_mean_word_characters": 5, "stop_words": ["the"]}}
    monkeypatch.setattr("benchmarks.filters.papers.STOP_WORDS", only_the)
    # "the" and "and": two stop words to the kernel, one to the changed reading, which then finds one too few.
    assert differences(large("the end and so on"), pa.array(["en"])) == {"num_stop_words": 1, "too_few_stop_words": 1}


def test_the_benchmark_gives_a_rate_for_each_family():
    text = large(*["The cat and the dog have a word. " * 40] * 50)
    result = measure(text, rounds=2)
    assert result["documents"] == 50
    assert result["megabytes"] == pytest.approx(50 * 40 * 33 / 1e6)
    assert list(result["megabytes_per_cpu_second"]) == [*FAMILIES, "all"]
    assert all(rate > 0 for rate in result["megabytes_per_cpu_second"].values())
    assert seconds(text, "c4") > 0
