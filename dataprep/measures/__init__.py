"""Measures: what `annotate` says of each document, in integers, on the text that survived `clean`.

    ids, surviving text --Batch--> words, language, ... (found once, when a measure first asks)
    Batch --Measure.columns--> columns of `attributes`, from which filters decide

Reading order: `batch`, `contract`, then one file a measure: `text`, `language`, `words`, `lines`, `repetition`,
`personal_data`, `offensive_words`, `offensive_score`, `minhash`; `perplexity` and `quality` read models
that the user trained. A new one is one file here and one line in `dataprep.annotate.AnnotateConfig.measures`.
"""
