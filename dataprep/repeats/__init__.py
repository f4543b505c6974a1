"""`repeats`: what stands in the corpus more than once though its documents are no copies: lines, paragraphs, and runs
of words of any length from `min_words` on.

    texts --signs--> hashes that equal passages have in common --recurring, over all shards--> those that come again
    texts, those hashes --places--> every passage that may come again, with a key of 128 bits
        --later, over all shards--> those that go: all but the first of equal ones
    texts, those --cuts--> verdicts, and the bytes that the corpus leaves out

A run of words that stands in two places is a row of windows of `min_words` words that do. So windows are what is
compared, and what goes is what all of them cover together: no suffix array, no text of another shard. Equal windows
have one minimiser (`kernels.repeated_windows`), so only windows around hashes that come again are looked at twice.

Nothing depends on shards, partitions or order. Two passages pass for the same where their 128-bit keys, made of 64-bit
hashes of their words, are equal.

Reading order: `config`, `passages`, `signs`, `places`, `later`, `cuts`.
"""
