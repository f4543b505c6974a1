import random
import re

import pyarrow as pa

from dataprep.kernels.line_ranges import line_ranges
from dataprep.kernels.word_spans import word_spans


def told(texts, paragraphs, start=0):
    """Of each text: the bytes of its lines or paragraphs, and how many words lie before and in them."""
    text = pa.array(texts, pa.large_string()).slice(start)
    spans = word_spans(text)
    ranges = line_ranges(text, spans, paragraphs)
    data = bytes(spans.data)
    found = []
    for row in range(len(text)):
        at = range(ranges.offsets[row], ranges.offsets[row + 1])
        base = spans.offsets[row]
        found.append(
            [
                (
                    data[ranges.starts[i] : ranges.ends[i]].decode(),
                    int(ranges.first_words[i] - base),
                    int(ranges.end_words[i] - base),
                )
                for i in at
            ]
        )
    return found


def test_lines_hold_a_word_and_go_with_their_line_feed():
    assert told(["One two.\n\n---\n  three\n", "", "four\n\N{NO-BREAK SPACE}\nfünf"], False) == [
        [("One two.\n", 0, 2), ("  three\n", 2, 3)],
        [],
        [("four\n", 0, 1), ("fünf", 1, 2)],
    ]


def test_paragraphs_are_lines_between_blank_ones_and_hold_a_word():
    text = "One.\ntwo\n \t\n---\n***\n\n\n---\nthree\n---\n\n===\n"
    assert told([text, "a\n\nb", "***"], True) == [
        [("One.\ntwo\n", 0, 2), ("---\nthree\n---\n", 2, 3)],
        [("a\n", 0, 1), ("b", 1, 2)],
        [],
    ]


def test_a_slice_of_a_column_gives_what_its_texts_give():
    texts = ["zero\n\nnought", "one\ntwo\n\nthree"]
    assert told(texts, True, start=1) == told(texts, True)[1:]
    assert told(texts, False, start=1) == told(texts, False)[1:]


def test_random_texts_give_what_plain_python_gives():
    rng = random.Random(4)
    texts = ["".join(rng.choices(["a", "bc", " ", "\n", "-", "é", "\u2003"], k=rng.randint(0, 40))) for _ in range(400)]
    for paragraphs in (False, True):
        expected = [[piece for piece in pieces(text, paragraphs) if re.search(r"\w", piece)] for text in texts]
        assert [[piece for piece, _, _ in of_text] for of_text in told(texts, paragraphs)] == expected
        for text, of_text in zip(texts, told(texts, paragraphs), strict=True):
            for piece, first, end in of_text:
                assert re.findall(r"\w+", text)[first:end] == re.findall(r"\w+", piece)


def pieces(text, paragraphs):
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    if not paragraphs:
        return lines
    found, is_open = [], False
    for line in lines:
        if not line.strip():
            is_open = False
        elif is_open:
            found[-1] += line
        else:
            found.append(line)
            is_open = True
    return found
