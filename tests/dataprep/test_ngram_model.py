import gzip

import numpy as np
import pyarrow as pa
import pytest

from dataprep.arpa import check_arpa, metadata_of
from dataprep.errors import CorruptDataError
from dataprep.held_out import held_out
from dataprep.ngram_model import NgramConfig, read_model, train

# Of three words: p(a) = .5, p(b) = .25, p(</s>) = .125, p(<unk>) = .125; p(b | a) = .8, and a's backoff is .4.
BY_HAND = """\
\\data\\
ngram 1=5
ngram 2=1

\\1-grams:
-0.90309\t<unk>\t0
-99\t<s>\t-0.1
-9.0309e-1\t</s>
-0.30103\ta\t-0.39794
-0.60206\tb\t0

\\2-grams:
-0.09691\ta b

\\end\\
"""


def texts(*documents: str) -> pa.Array:
    return pa.array(documents, pa.large_string())


def test_a_model_by_hand_gives_sums_by_hand():
    model = read_model(BY_HAND.encode(), "model")
    logarithms, num_words, percentiles = model.measure(texts("A b", "b a\n\n c", "", "?!\n"))
    # <s> has a backoff of -.1. "a b </s>": -.1 - .30103, then -.09691 by the pair, then -.90309 after b.
    # "b a </s>": -.1 - .60206, -.30103, and -.39794 - .90309; "c </s>": -.1 - .90309, and -.90309 after <unk>.
    assert logarithms.tolist() == [-14010300, -23041200 - 19061800, 0, 0]
    assert num_words.tolist() == [3, 5, 0, 0]
    assert percentiles.tolist() == [-1, -1, -1, -1]  # nothing was held out


def test_the_reference_says_how_many_percent_are_at_most_as_perplexing():
    draw = np.random.default_rng(0)
    words = [f"w{number}" for number in range(50)]
    documents = [" ".join(draw.choice(words[: 5 + number % 45], 30)) for number in range(2000)]
    config = NgramConfig(order=3, reference_every=10)
    file = train([texts(*documents[:700]), texts(*documents[700:])], config)
    model = read_model(file, "model")
    apart = texts(*documents).filter(pa.array(held_out(texts(*documents), 10)))
    assert model.metadata["num_reference_documents"] == len(apart)
    percentiles = model.measure(apart)[2]
    # As many percent as say so, within the step of the places.
    assert np.mean(percentiles <= 50) == pytest.approx(0.5, abs=0.02)
    assert (percentiles.min(), percentiles.max()) == (1, 100)
    assert model.measure(texts("unseen words only here"))[2].tolist() == [100]
    assert train([texts(*documents)], config) == file  # batches do not matter, nor when it was trained


@pytest.mark.parametrize(
    ("found", "instead", "says"),
    [
        ("\\end\\", "", "model is no whole ARPA file"),
        ("-0.30103\ta", "a", "1-grams, line 4 of them: a number is missing or is none"),
        ("-0.09691\ta b", "-0.09691\ta", "2-grams, line 1 of them: it has too few words"),
        ("-0.60206\tb", "-0.60206\ta", "1-grams, line 5 of them: the same n-gram has been there before"),
        ("-0.09691\ta b", "-0.09691\ta x", "2-grams, line 1 of them: the model lacks the n-gram without its first"),
    ],
)
def test_a_file_that_is_no_model_is_refused_with_its_line(found, instead, says):
    with pytest.raises(CorruptDataError, match=says):
        read_model(BY_HAND.replace(found, instead).encode(), "model")


def test_a_damaged_file_is_refused():
    packed = gzip.compress(BY_HAND.encode())
    with pytest.raises(CorruptDataError, match="model is damaged gzip data"):
        read_model(packed[:-9], "model")
    with pytest.raises(CorruptDataError, match=r"model is no ARPA file, as it has no .data. at its head"):
        check_arpa(b"something else", "model")
    check_arpa(packed, "model")
    assert metadata_of(BY_HAND.encode()) == {}


def test_cutoffs_must_fit_the_order():
    with pytest.raises(ValueError, match="expected 3 numbers that do not fall"):
        NgramConfig(order=3, cutoffs=(0, 2, 1))
