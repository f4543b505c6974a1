"""How well and how fast each engine finds the text of a page: `python -m benchmarks.extraction`.

pages.py      the pages: labelled ones with the truth about their text, and crawled ones
scores.py     what a text is worth against the truth
survival.py   how many crawled pages the filters keep
rates.py      pages a second, on one core
"""
