"""Deduplication on one core: how fast beside other tools, and how right beside the exact similarity of all pairs.

Reading order: `texts` (what all read), `seedbed_bands`, `in_memory` and `seedbed_kept`, the tools in peers/,
`exact_pairs`, `truth`, `cases`, `__main__`. Rounds, meter and medians are those of `benchmarks.dataprep`.
"""
