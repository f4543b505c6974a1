import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from dataprep import annotate as annotate_module
from dataprep import schemas
from dataprep.annotate import AnnotateConfig, annotate
from dataprep.clean import CleanConfig, clean
from dataprep.errors import CorruptDataError
from dataprep.kernels.minhash import MinHashConfig, band_hashes, minhash_signatures
from dataprep.kernels.words import find_words


def documents_of(*texts: str) -> pa.Table:
    rows = [
        {"id": i.to_bytes(16, "big"), "url": "", "offset": 0, "num_payload_bytes": 0, "text": text}
        for i, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, schemas.DOCUMENTS)


def annotated(documents: pa.Table, config: AnnotateConfig | None = None) -> pa.Table:
    return annotate(documents, clean(documents, CleanConfig()), config or AnnotateConfig())


def test_attributes_describe_the_text_that_survives():
    survivor = "- The cat's #1 friend is with us...\n"
    table = annotated(documents_of(survivor + "We use cookies and #javascript\n", ""))
    assert table.schema == AnnotateConfig().table_schema()
    row, empty = table.drop_columns(["language_score_e4", "minhash_bands"]).to_pylist()
    assert row == {
        "id": bytes(16),
        "num_bytes": 36,
        "content_hash": xxhash.xxh3_128_digest(survivor.encode()),
        "language": "en",
        "num_characters": 36,
        "num_words": 8,  # The cat s 1 friend is with us
        "num_word_characters": 22,  # 3 + 3 + 1 + 1 + 6 + 2 + 4 + 2
        "num_words_with_letter": 7,
        "num_stop_words": 2,  # the, with
        "num_lorem_ipsum": 0,
        "num_newlines": 1,
        "num_lines": 1,
        "num_line_characters": 35,
        "num_bullet_lines": 1,
        "num_ellipsis_lines": 1,
        "num_punctuated_lines": 1,
        "num_short_lines": 0,
        "num_duplicate_lines": 0,
        "num_duplicate_line_characters": 0,
        "num_paragraphs": 1,
        "num_duplicate_paragraphs": 0,
        "num_duplicate_paragraph_characters": 0,
        "num_sentences": 1,
        "num_hashes": 1,
        "num_ellipses": 1,
        "num_curly_brackets": 0,
        **{f"num_top_{n}_gram_characters": 0 for n in (2, 3, 4)},
        **{f"num_duplicate_{n}_gram_characters": 0 for n in (5, 6, 7, 8, 9, 10)},
        "num_emails": 0,
        "num_ip_addresses": 0,
        "num_phones": 0,
        "num_ibans": 0,
        "num_cards": 0,
        "num_offensive_words": 0,
    }
    assert empty["language"] == "und"
    assert empty["content_hash"] == xxhash.xxh3_128_digest(b"")
    assert sum(empty[name] for name in empty if name.startswith("num_")) == 0


def test_bands_are_those_of_the_surviving_words():
    config = MinHashConfig(num_bands=3, rows_per_band=2, ngram_words=2)
    table = annotated(documents_of("a b c\nuse cookies", "d e"), AnnotateConfig(minhash=config))
    words = find_words(pa.array(["a b c\n", "d e"], pa.large_string()))
    expected = band_hashes(minhash_signatures(words, config), config)
    assert table["minhash_bands"].to_pylist() == expected.tolist()


def test_batches_and_chunks_do_not_change_the_attributes(monkeypatch):
    texts = [f"Document {i} says é and 東京.\n{'we use cookies' * (i % 2)}\n" for i in range(7)]
    documents = documents_of(*texts)
    whole = annotated(documents)
    monkeypatch.setattr(annotate_module, "MAX_BATCH_BYTES", 64)
    assert annotated(documents).equals(whole)
    assert annotated(pa.concat_tables([documents[:3], documents[3:]])).equals(whole)
    assert annotated(documents[2:5]).equals(whole[2:5])


def test_no_documents_have_no_attributes():
    assert annotated(documents_of()).equals(AnnotateConfig().table_schema().empty_table())


def test_edits_of_other_documents_are_refused():
    documents = documents_of("a", "b")
    edits = clean(documents, CleanConfig())
    with pytest.raises(CorruptDataError, match=r"row 0: document 0{32} stands beside the edits of 0{31}1"):
        annotate(documents, edits.take([1, 0]), AnnotateConfig())
    with pytest.raises(CorruptDataError, match="2 documents, but edits for 1"):
        annotate(documents, edits[:1], AnnotateConfig())


def test_importing_compiles_nothing_and_loads_no_model():
    code = (
        "import sys; from dataprep.annotate import annotate; from dataprep.kernels.warm import kernels; "
        "assert kernels() and 'numba' not in sys.modules; assert 'fasttext' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scores_fit_their_column():
    scores = annotated(documents_of("All human beings are born free and equal."))["language_score_e4"].to_numpy()
    assert scores.dtype == np.int16
    assert 0 < scores[0] <= 10_000
