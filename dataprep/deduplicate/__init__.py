"""`deduplicate`: which survivors are copies of others, and which copy stays.

    attributes of survivors --buckets--> band rows, one sorted file per input shard
        --candidates--> pairs that share a band or their exact content, one task per partition of keys
        --blocks--> each once, those together that share documents
        --verify, with the texts--> edges: pairs that really are alike
        --components, or stars where they are too many for memory--> groups
        --keeper: pairs to compare with the first of the group--> verify --keeper--> verdicts

MinHash only proposes; exact Jaccard similarity decides (groups built from unverified candidates have wiped out whole
sources). The verdicts depend on the documents alone: not on how they lie in shards, how many partitions there are, or
in which order tasks end.

Reading order: `config`, `edges` (pairs of documents), `lookup`, `buckets`, `blocks`, `candidates`, `verify`,
`components`, `stars`, `keeper`, `addresses` (documents of one URL: what is left of those is compared), `earlier`
(what an earlier corpus has already), `guard`
(what a source or language may lose), `plants` and `plant_recall` (how many copies are found, measured on each run).
"""
