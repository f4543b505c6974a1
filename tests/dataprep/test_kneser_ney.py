"""Held against a slow reading of the formulas, written from the paper alone, and against KenLM's C++ where it is."""

import gzip
import math
import re
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest

from dataprep.errors import DataError
from dataprep.kneser_ney import FALLBACK_DISCOUNTS, estimate
from dataprep.ngram_counts import TrainingText, count_ngrams
from dataprep.ngram_model import NgramConfig, read_model, train

WORDS = [f"w{number}" for number in range(40)]


def some_text(seed=0, num_sentences=400):
    """Sentences whose words depend on the two before them, some words rare."""
    draw, sentences = np.random.default_rng(seed), []
    for _ in range(num_sentences):
        place, sentence = int(draw.integers(40)), []
        for _ in range(int(draw.integers(1, 12))):
            sentence.append(WORDS[place])
            place = int((place * 3 + draw.geometric(0.3)) % 40) if draw.random() < 0.97 else int(draw.integers(40))
        sentences.append(" ".join(sentence))
    return "\n".join([*sentences, "onlyonce " + sentences[0], "w1 rareword w2"])


class SlowModel:
    """Chen and Goodman's interpolated Kneser-Ney over Python dictionaries of tuples of words."""

    def __init__(self, text, order, min_word_count, cutoffs):
        sentences = [re.findall(r"\w+", line.lower()) for line in text.split("\n")]
        seen = Counter(word for sentence in sentences for word in sentence)
        self.words = {word for word, count in seen.items() if count >= min_word_count}
        self.order = order
        framed = [["<s>", *map(self.known, sentence), "</s>"] for sentence in sentences if sentence]
        self.counts = Counter(
            tuple(sentence[i : i + k]) for sentence in framed for k in range(1, order + 1)
            for i in range(len(sentence) - k + 1)
        )  # fmt: skip
        before = defaultdict(set)
        for gram in self.counts:
            before[gram[1:]].add(gram[0])
        self.adjusted = {
            gram: count if len(gram) == order or gram[0] == "<s>" else len(before[gram])
            for gram, count in self.counts.items()
            if gram != ("<s>",)
        }
        self.after = defaultdict(list)
        for gram in self.adjusted:
            self.after[gram[:-1]].append(gram)
        self.held = {
            gram for gram in self.adjusted if "<unk>" not in gram and self.counts[gram] > cutoffs[len(gram) - 1]
        }
        self.discounts = {k: self.discount(k) for k in range(1, order + 1)}

    def known(self, word):
        return word if word in self.words else "<unk>"

    def discount(self, length):
        values = [a for gram, a in self.adjusted.items() if len(gram) == length and "<unk>" not in gram]
        n = {count: values.count(count) for count in (1, 2, 3, 4)}
        if not all(n.values()):
            return {1: 0.5, 2: 1.0, 3: 1.5}
        y = n[1] / (n[1] + 2 * n[2])
        found = {1: 1 - 2 * y * n[2] / n[1], 2: 2 - 3 * y * n[3] / n[2], 3: 3 - 4 * y * n[4] / n[3]}
        return found if min(found.values()) > 0 else {1: 0.5, 2: 1.0, 3: 1.5}

    def left(self, gram):
        if gram not in self.held:
            return 0.0
        return self.adjusted[gram] - self.discounts[len(gram)][min(self.adjusted[gram], 3)]

    def probability(self, word, history):
        history = history[-(self.order - 1) :]
        grams = self.after[history]
        lower = self.probability(word, history[1:]) if history else 1 / (len(self.words) + 2)
        if not grams:
            return lower
        total = sum(self.adjusted[gram] for gram in grams)
        backoff = 1 - sum(self.left(gram) for gram in grams) / total
        return self.left((*history, word)) / total + backoff * lower

    def log10_of(self, line):
        sentence = ["<s>", *map(self.known, re.findall(r"\w+", line.lower())), "</s>"]
        total = 0.0
        for i in range(1, len(sentence)):
            # What an unknown word stands before is forgotten: no n-gram of the model has one.
            begin = max([j + 1 for j in range(i) if sentence[j] == "<unk>"], default=0)
            total += math.log10(self.probability(sentence[i], tuple(sentence[begin:i])))
        return total, len(sentence) - 1


SETTINGS = [(2, 1, (0, 0)), (3, 2, (0, 0, 0)), (4, 2, (0, 0, 1, 1)), (5, 3, (0, 1, 1, 2, 2))]


@pytest.mark.parametrize(("order", "min_word_count", "cutoffs"), SETTINGS)
def test_scores_are_those_of_the_formulas(order, min_word_count, cutoffs):
    text = some_text()
    config = NgramConfig(order=order, min_word_count=min_word_count, cutoffs=cutoffs)
    model = read_model(train([pa.array([text], pa.large_string())], config), "model")
    slow = SlowModel(text, order, min_word_count, cutoffs)
    lines = [*some_text(seed=1, num_sentences=60).split("\n"), "never seen w3 w4", "W5, w6; W7", "w9"]
    logarithms, num_words, _ = model.measure(pa.array(lines, pa.large_string()))
    for line, logarithm, number in zip(lines, logarithms, num_words, strict=True):
        expected, expected_number = slow.log10_of(line)
        assert number == expected_number
        assert logarithm / 1e7 == pytest.approx(expected, abs=2e-7 * order * number), line  # seven decimals each


@pytest.mark.parametrize(("order", "min_word_count", "cutoffs"), SETTINGS)
def test_after_any_history_the_words_have_probability_one_together(order, min_word_count, cutoffs):
    training = TrainingText()
    training.add(pa.array([some_text()], pa.large_string()))
    counts = count_ngrams(training, order, min_word_count, max_ngrams=10**6)
    probabilities, backoffs = {}, {}
    for found in estimate(counts, cutoffs):
        rows = zip(found.words.tolist(), found.log10_probabilities, found.log10_backoffs, strict=True)
        for words, probability, backoff in rows:
            probabilities[tuple(words)], backoffs[tuple(words)] = 10**probability, 10**backoff

    def probability(word, history):
        if (*history, word) in probabilities:
            return probabilities[(*history, word)]
        return backoffs.get(history, 1.0) * probability(word, history[1:])

    draw = np.random.default_rng(0)
    histories = [h for h in backoffs if len(h) < order and h[-1] != 2] + [(3, 4, 5, 6)[: order - 1], (0,)]
    for place in draw.choice(len(histories), min(len(histories), 150), replace=False):
        total = sum(probability(word, histories[place]) for word in range(len(counts.vocabulary)) if word != 1)
        assert total == pytest.approx(1, abs=1e-9), histories[place]


def test_the_file_means_the_same_to_kenlm(tmp_path):
    kenlm = pytest.importorskip("kenlm", reason="no kenlm: `pip install kenlm` builds it, with a C++ compiler")
    text = some_text()
    file = train([pa.array([text], pa.large_string())], NgramConfig(order=4, cutoffs=(0, 0, 1, 1)))
    (tmp_path / "model.arpa").write_bytes(gzip.decompress(file))
    theirs, ours = kenlm.Model(str(tmp_path / "model.arpa")), read_model(file, "model")
    lines = [*some_text(seed=2, num_sentences=200).split("\n"), "unseen w1 unseen", "w1 w2 w3 w4 w5 w6"]
    logarithms, _, _ = ours.measure(pa.array(lines, pa.large_string()))
    for line, logarithm in zip(lines, logarithms, strict=True):
        assert theirs.score(line) == pytest.approx(logarithm / 1e7, abs=1e-4)  # KenLM adds up in single precision
    total = sum(10 ** theirs.score(word, bos=True, eos=False) for word in [*WORDS, "unseen"])
    assert total + 10 ** theirs.score("", bos=True, eos=True) == pytest.approx(1, abs=1e-5)


def test_three_sentences_by_hand():
    """`a b` twice and `a c` once, pairs, no cutoff. Two words long, all discounts fall back to 1/2, 1, 3/2.

    Different words before: a 1 (<s>), b 1 (a), c 1 (a), </s> 2 (b, c): sum 5. Left 1/2, 1/2, 1/2, 1; freed 5/2 of 5,
    over a, b, c, </s>, <unk>: 1/10 each. p(a) = p(b) = p(c) = 1/10 + 1/10, p(</s>) = 1/5 + 1/10, p(<unk>) = 1/10.
    After a: b 2 and c 1, sum 3; left 1 and 1/2; freed 3/2: b(a) = 1/2.
    p(b | a) = 1/3 + 1/2 * 1/5 = 13/30; p(c | a) = 1/6 + 1/10 = 8/30.
    """
    training = TrainingText()
    training.add(pa.array(["a b\na c", "A b."], pa.large_string()))
    counts = count_ngrams(training, 2, 1, 1000)
    unigrams, pairs = estimate(counts, (0, 0))
    assert counts.vocabulary == ["<unk>", "<s>", "</s>", "a", "b", "c"]
    assert (10 ** unigrams.log10_probabilities[[0, 2, 3, 4, 5]]).tolist() == pytest.approx([0.1, 0.3, 0.2, 0.2, 0.2])
    assert unigrams.log10_probabilities[1] == -99
    assert 10 ** unigrams.log10_backoffs[3] == pytest.approx(0.5)
    after_a = {
        counts.vocabulary[words[1]]: 10**p
        for words, p in zip(pairs.words, pairs.log10_probabilities, strict=True)
        if words[0] == 3
    }
    assert after_a == pytest.approx({"b": 13 / 30, "c": 8 / 30})
    assert FALLBACK_DISCOUNTS.tolist() == [0, 0.5, 1, 1.5]


def test_no_ngram_crosses_a_sentence_and_batches_do_not_matter():
    lines = some_text().split("\n")
    whole, parts = TrainingText(), TrainingText()
    whole.add(pa.array(["\n".join(lines)], pa.large_string()))
    for start in range(0, len(lines), 7):
        parts.add(pa.array(lines[start : start + 7], pa.large_string()))
    first, second = (count_ngrams(text, 3, 2, 10**6) for text in (whole, parts))
    assert first.vocabulary == second.vocabulary
    for one, other in zip(first.levels, second.levels, strict=True):
        assert one.size == other.size
        assert one.counts[: one.size].tolist() == other.counts[: other.size].tolist()
        assert one.num_before[: one.size].tolist() == other.num_before[: other.size].tolist()


def test_texts_that_are_too_many_or_too_few_are_refused():
    training = TrainingText()
    training.add(pa.array([some_text()], pa.large_string()))
    with pytest.raises(DataError, match=r"more than 100 different n-grams, at some 80 bytes each: give fewer texts"):
        count_ngrams(training, 3, 1, 100)
    with pytest.raises(DataError, match=r"no word occurs 10000 times"):
        count_ngrams(training, 3, 10000, 100)
