"""Compiled loops over Arrow buffers: no Python object per document.

    markup --markup_scan--> blocks --block_features, block_decisions--> those kept --block_text--> text
    documents.text --line_phrases, line_rules--> cuts
    documents.text, cuts --text_view--> surviving text --words--> words --shingles--> minhash, jaccard
                                              |         `--word_statistics
                                              |--lines--> line statistics
                                              `--fasttext--> language

Reading order: `unicode_classes` (what a word is), `text_buffers`, `utf8`, `mixing`, `words`, `word_statistics`,
`lines`, `line_rules`, `line_phrases`, `text_view`, `shingles`, `minhash`, `jaccard`, `row_sums`, `fasttext_tables`,
`fasttext`; `domain_caps`; `sentences`, `ngram_counts`, `arpa_lines`, `ngram_scores`, `linear_scores` (learned filters).
From markup to text: `markup_tags`, `markup_bytes`, `markup_layout`, `markup_text`, `markup_elements`,
`markup_attributes`, `markup_scan`, `block_features`, `block_decisions`, `block_text`, `main_text`. Before a page
is parsed: `markup_limits`, `rights_marks`. `warm` compiles them all and `build_unicode_classes` makes the table.
Decontamination has `place_tables`, `word_spans`, `ngram_variety`, `benchmark_matches`. Repeats have
`repeated_windows`, `line_ranges`, `cut_pieces`.

A number written into a call of a kernel makes another signature of it, which is compiled anew: pass `np.int64(0)`.
"""
