"""Readers of crawl files: stored bytes in, one `Record` after another out.

    stored file --compression.py--> pieces of plain bytes --format's reader--> Record, Record, ...

Reading order: record.py (what a reader gives), formats.py (which reader takes a file);
stored.py, pieces.py, members.py, zstd_frames.py, compression.py (bytes with their compression undone);
plain_buffer.py, framing.py, framed_records.py, warc.py, arc.py, http_answer.py, http_body.py (records of crawls);
lines.py, fields.py, jsonl.py, delimited.py, parquet.py, text_files.py (rows, lines and whole files);
rights.py (what a page says of its use), digesting.py.
"""
