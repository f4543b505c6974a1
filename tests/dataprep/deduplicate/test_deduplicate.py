"""The whole of `deduplicate`, held against a slow one that keeps everything in Python sets."""

from itertools import combinations

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import document_id, schemas
from dataprep.annotate import AnnotateConfig, annotate
from dataprep.clean import CleanConfig, clean
from dataprep.deduplicate.buckets import band_rows
from dataprep.deduplicate.candidates import candidates
from dataprep.deduplicate.components import components
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.deduplicate.edges import merge_edges
from dataprep.deduplicate.keeper import far_pairs, losers, members_of
from dataprep.deduplicate.verify import ids_to_read, verify
from dataprep.kernels.minhash import MinHashConfig
from dataprep.split import SplitConfig, held_out

MINHASH = MinHashConfig(num_bands=4, rows_per_band=1, ngram_words=2)  # few rows: many candidates, also false ones
SPLIT = SplitConfig(validation_fraction=0.2)
PRIORITY = {"books": 1}
MIN_JACCARD = 0.5
Documents = list[tuple[bytes, str]]

# Word lists over a small vocabulary share many bigrams.
TEXT = st.lists(st.sampled_from("abcde"), min_size=1, max_size=8).map(" ".join)


def id_of(record: int) -> bytes:
    return document_id.pack(document_id.file_prefix("books" if record % 3 == 0 else "web", "f"), record)


@st.composite
def corpora(draw) -> Documents:
    return [(id_of(record), text) for record, text in enumerate(draw(st.lists(TEXT, max_size=14)))]


def annotated(documents: Documents) -> pa.Table:
    rows = [{"id": i, "url": "", "offset": 0, "num_payload_bytes": 0, "text": text} for i, text in sorted(documents)]
    table = pa.Table.from_pylist(rows, schemas.DOCUMENTS)
    return annotate(table, clean(table, CleanConfig()), AnnotateConfig(minhash=MINHASH)).append_column(
        "text", table["text"]
    )


def deduplicated(shards: list[Documents], num_partitions: int, chains: str = "keep") -> list[dict]:
    """What `jobs` does with files, in memory."""
    config = DeduplicateConfig(min_jaccard=MIN_JACCARD, max_bucket=2, source_priority=PRIORITY, chains=chains)
    attributes = [annotated(shard) for shard in shards]
    mapped = [band_rows(table, num_partitions) for table in attributes]
    found = []
    for partition in range(num_partitions):
        parts = [rows.slice(sum(num_rows[:partition]), num_rows[partition]) for rows, num_rows in mapped]
        found.append(candidates(parts, config.max_bucket).edges)
    everything = pa.concat_tables(attributes)
    edges = merge_edges(found)

    def verified(pairs: pa.Table, min_jaccard: float) -> pa.Table:
        texts = everything.filter(pc.is_in(everything["id"], value_set=ids_to_read(pairs, everything)))
        return verify(pairs, everything, texts, MINHASH.ngram_words, min_jaccard).edges

    alike = verified(edges, config.min_jaccard)
    members = members_of(components(alike), everything)
    far = verified(far_pairs(members, alike, SPLIT, config), 0.0)
    return losers(members, alike, far, SPLIT, config).verdicts.to_pylist()


def bigrams(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + 2]) for i in range(max(len(words) - 1, 1))}


def similarity(a: str, b: str) -> float:
    return len(bigrams(a) & bigrams(b)) / len(bigrams(a) | bigrams(b))


def expected_losers(documents: Documents, chains: str) -> dict[bytes, tuple[str, bytes]]:
    """Loser -> (reason, keeper), by sets and sorts."""
    text = dict(documents)
    table = annotated(documents)
    bands = dict(zip(table["id"].to_pylist(), table["minhash_bands"].to_pylist(), strict=True))
    keys = [[*enumerate(bands[name]), text[name]] for name in sorted(text)]
    alike: set = set()
    buckets: dict = {}
    for name, own in zip(sorted(text), keys, strict=True):
        for key in own:
            buckets.setdefault(key, []).append(name)
    group = {name: {name} for name in text}
    for members in buckets.values():
        for low, high in combinations(members, 2):  # fewer than NEIGHBOURS
            if similarity(text[low], text[high]) >= MIN_JACCARD:
                alike |= {(low, high), (high, low)}
                joined = group[low] | group[high]
                group.update(dict.fromkeys(joined, joined))
    out = dict(zip(text, held_out(pa.array(list(text), schemas.ID), SPLIT), strict=True)) if text else {}
    books = document_id.file_prefix("books", "f")

    def order(name: bytes):
        return not out[name], not name.startswith(books), -len(text[name].split()), name

    result: dict = {}
    kept: list[bytes] = []
    for name in sorted(text, key=order):
        first = min(group[name], key=order)
        if chains == "drop":
            keeper = first
        else:
            # Like the first of its group, compared or not, or like another that was kept and met it in a bucket. Copies
            # of one text stand or fall together.
            copies = {other for other in text if text[other] == text[name]}
            leader = min(copies, key=order)
            like = [
                other
                for other in kept
                if other in group[name]
                and (
                    text[other] == text[name]
                    or (other == first and similarity(text[other], text[name]) >= MIN_JACCARD)
                    or any((copy, twin) in alike for copy in copies for twin in text if text[twin] == text[other])
                )
            ]
            if leader != name and leader in kept:
                like = [leader]
            keeper = like[0] if like else name
        if keeper == name:
            kept.append(name)
        else:
            near = "exact_duplicate" if text[keeper] == text[name] else "near_duplicate"
            result[name] = "near_duplicate_of_heldout" if out[keeper] and not out[name] else near, keeper
    return result


@settings(max_examples=150, deadline=None)
@given(corpora(), st.sampled_from(["keep", "drop"]))
def test_verdicts_are_those_of_the_slow_way(documents, chains):
    found = deduplicated([documents], num_partitions=3, chains=chains)
    assert {row["id"]: (row["reason"], row["duplicate_of"]) for row in found} == expected_losers(documents, chains)
    text = dict(documents)
    for row in found:
        assert row["value"] == similarity(text[row["id"]], text[row["duplicate_of"]])
        assert chains == "drop" or row["value"] >= MIN_JACCARD


@settings(max_examples=75, deadline=None)
@given(corpora(), st.lists(st.integers(0, 3), min_size=14, max_size=14), st.integers(1, 9), st.randoms())
def test_verdicts_do_not_depend_on_shards_partitions_or_order(documents, places, num_partitions, random):
    shards = [[row for row, place in zip(documents, places, strict=False) if place == shard] for shard in range(4)]
    random.shuffle(shards)
    assert deduplicated(shards, num_partitions) == deduplicated([documents], 1)


@settings(max_examples=75, deadline=None)
@given(corpora())
def test_no_text_is_kept_twice(documents):
    gone = {row["id"] for row in deduplicated([documents], 2)}
    kept = [text for name, text in documents if name not in gone]
    assert len(kept) == len(set(kept))
    assert {text for _, text in documents} >= set(kept)
