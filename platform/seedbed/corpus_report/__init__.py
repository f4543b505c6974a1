"""The report on a corpus: what became of every record and what is in the corpus, for a reader without Seedbed.

    manifests, attributes, ledger --> facts --page--> report.html, beside DATASHEET.md and datasheet.json

Reading order: `page` (the HTML), `write` (the files). What they say comes from `seedbed.datasheet`, `survey` and
`sample`. The page is one file: no script, no font, no picture from elsewhere.
"""
