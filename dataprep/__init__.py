"""The data library: Arrow tables in, Arrow tables out. It knows neither Ray nor torch, and reads no run file.

    crawl files --extract--> documents --clean--> edits --annotate--> attributes --select--> verdicts
       --deduplicate--> verdicts --decontaminate--> verdicts, cuts --repeats--> verdicts, cuts
       --corpus--> corpus --tokenizer--> tokenizer.json --shards--> token shards
       --order--> samples

Reading order: schemas.py (every table), document_id.py, tally.py and digest.py (identity, conservation), reading/ and
extraction/ (crawl files to text), kernels/ (compiled loops over Arrow buffers), then one module or package a step:
extract, clean, annotate (with measures/), select (with filters/), deduplicate (with domain_cap and registered_domains),
corpus, tokenizer, shards; order.py and token_stream.py are what training reads, mixture.py the arithmetic of how often
and in which turn sources are seen. ngram_model.py (with ngram_counts, kneser_ney, arpa) and quality_classifier.py are
the models of the learned filters. decontaminate/ and repeats/ stand between deduplicate and corpus, where a run wants
them.
"""
