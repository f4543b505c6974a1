"""Which texts each rule of datatrove's Gopher, C4 and FineWeb filters drops, by itself: TEXTS.parquet DROPPED.parquet.

Its filters leave at the first rule that fails, so there is one filter for each rule, with every other rule off.
"""

import math
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter, get_filter_result
from datatrove.utils.logging import logger


def rules() -> dict[str, BaseFilter]:
    """By the reason that Seedbed gives, or the reasons where datatrove has one limit for both: docs/filters.md has the
    limits."""
    return {
        "too_many_duplicate_lines": _repetition(dup_line_frac=0.3),
        "too_many_duplicate_paragraphs": _repetition(dup_para_frac=0.3),
        "too_much_text_in_duplicate_lines": _repetition(dup_line_char_frac=0.2),
        "too_much_text_in_duplicate_paragraphs": _repetition(dup_para_char_frac=0.2),
        "too_much_text_in_top_2_gram": _repetition(top_n_grams=((2, 0.2),)),
        "too_much_text_in_top_3_gram": _repetition(top_n_grams=((3, 0.18),)),
        "too_much_text_in_top_4_gram": _repetition(top_n_grams=((4, 0.16),)),
        "too_much_text_in_duplicate_5_grams": _repetition(dup_n_grams=((5, 0.15),)),
        "too_much_text_in_duplicate_6_grams": _repetition(dup_n_grams=((6, 0.14),)),
        "too_much_text_in_duplicate_7_grams": _repetition(dup_n_grams=((7, 0.13),)),
        "too_much_text_in_duplicate_8_grams": _repetition(dup_n_grams=((8, 0.12),)),
        "too_much_text_in_duplicate_9_grams": _repetition(dup_n_grams=((9, 0.11),)),
        "too_much_text_in_duplicate_10_grams": _repetition(dup_n_grams=((10, 0.1),)),
        "too_few_words": _quality(min_doc_words=50),
        "too_many_words": _quality(max_doc_words=100_000),
        "mean_word_too_short": _quality(min_avg_word_length=3),
        "mean_word_too_long": _quality(max_avg_word_length=10),
        "too_many_hashes or too_many_ellipses": _quality(max_symbol_word_ratio=0.1),
        "too_many_bullet_lines": _quality(max_bullet_lines_ratio=0.9),
        "too_many_ellipsis_lines": _quality(max_ellipsis_lines_ratio=0.3),
        "too_few_words_with_letter": _quality(max_non_alpha_words_ratio=0.8),
        "too_few_stop_words": _quality(min_stop_words=2),
        "curly_bracket": _c4(filter_curly_bracket=True),
        "lorem_ipsum": _c4(filter_lorem_ipsum=True),
        "too_few_sentences": _c4(min_num_sentences=5),
        "too_few_punctuated_lines": _fineweb(line_punct_thr=0.12),
        "too_much_text_in_repeated_lines": _fineweb(char_duplicates_ratio=0.1),
        "too_many_short_lines": _fineweb(short_line_thr=0.67),
        "too_many_newlines": _fineweb(new_line_ratio=0.3),
    }


def _repetition(**limits: float | tuple[tuple[int, float], ...]) -> GopherRepetitionFilter:
    off = dict.fromkeys(("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac"))
    return GopherRepetitionFilter(**(off | {"top_n_grams": (), "dup_n_grams": ()} | limits))


def _quality(**limits: float) -> GopherQualityFilter:
    off = dict.fromkeys(
        (
            "min_doc_words",
            "max_doc_words",
            "min_avg_word_length",
            "max_avg_word_length",
            "max_symbol_word_ratio",
            "max_bullet_lines_ratio",
            "max_ellipsis_lines_ratio",
            "max_non_alpha_words_ratio",
            "min_stop_words",
        )
    )
    return GopherQualityFilter(**(off | limits))


def _c4(**limits: float) -> C4QualityFilter:
    """Without its rules about lines, too: they are in `clean` here."""
    off = {"remove_citations": False, "filter_no_terminal_punct": False, "min_words_per_line": -1}
    off |= {"max_word_length": -1, "filter_javascript": False, "filter_policy": False}
    off |= {"min_num_sentences": -1, "filter_lorem_ipsum": False, "filter_curly_bracket": False}
    return C4QualityFilter(**(off | limits))


def _fineweb(**limits: float) -> FineWebQualityFilter:
    off = {"line_punct_thr": -math.inf, "short_line_thr": math.inf}
    off |= {"char_duplicates_ratio": math.inf, "new_line_ratio": math.inf}
    return FineWebQualityFilter(**(off | limits))


def main(texts: str, dropped: str) -> None:
    logger.remove()
    every = rules()
    found: dict[str, list[bool]] = {name: [] for name in every}
    # Text by text: datatrove remembers the words of the last few. A new document each time: C4's filter changes it.
    for text in pq.read_table(texts)["text"].to_pylist():
        for name, one in every.items():
            kept, _ = get_filter_result(one.filter(Document(text=text, id="")))
            found[name].append(not kept)
    pq.write_table(pa.table(found), dropped)


if __name__ == "__main__":
    main(*sys.argv[1:])
