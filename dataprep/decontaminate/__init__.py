"""`decontaminate`: what of evaluation sets stands in the documents, and what becomes of these.

    evaluation files --evaluation--> items, each of one or more texts --index--> tables of their n-grams
    surviving texts --scan, with the tables--> hits: where an n-gram of an evaluation text stands in a document
        --commonness, over all shards--> which n-grams are common and do not count
        --decide--> matches (which text of which item), verdicts --cuts--> spans that the corpus leaves out

A hash only proposes: words are compared letter by letter. Neither verdicts nor cuts depend on how documents lie in
shards.

Reading order: `config`, `evaluation`, `index`, `scan`, `commonness`, `decide`, `cuts`, `plants` (how
much a scan finds, measured on each run).
"""
