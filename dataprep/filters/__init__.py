"""Filters: attributes in, reasons out. They decide and touch nothing.

    attributes --Filter.rules--> Rule, Rule, ... --select--> verdicts

Reading order: `contract`, `gopher_quality`, `language`, `stop_words`, `perplexity`, `quality`, `registry`. A new
filter is one file here and one line in `registry`: the run file's keys follow from that.
"""
