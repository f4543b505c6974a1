"""Filters: attributes in, reasons out. They decide and touch nothing.

    attributes --Filter.rules--> Rule, Rule, ... --select--> verdicts

Reading order: `contract`, `language`, the four heuristic families `gopher_repetition`, `gopher_quality` (with
`stop_words`), `c4`, `fineweb`, then `url`, `personal_data`, `offensive_words`, `offensive_score`, on columns beside the
attributes `opt_out` and `refinedweb`, by models that the user trained `perplexity` and `quality`, and `registry`. A new
filter is one file here and one line in `registry`: the run file's keys follow from that.
"""
