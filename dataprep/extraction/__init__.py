"""From a record to a document: charset, limits, HTML to text, in a process of its own.

    Record --page.py--> (limits, charset, text)      charset.py
       via isolation.py --answers.py--> child.py     one page cannot hold, kill or change a shard

`extract.py` beside this package is the step: it reads a file and writes `documents` and `unread`.
"""
