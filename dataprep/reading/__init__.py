"""Readers of crawl files: stored bytes in, one `Record` after another out.

Reading order: record.py (what a reader gives), formats.py (which reader takes a file), warc.py, http_body.py, jsonl.py.
"""
