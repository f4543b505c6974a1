"""Trafilatura: its cascade of rules, with readability and jusText where they find too little.

All that it takes for text, `main_content: false`, is still without what it takes for no text at all, as footers.
"""

from trafilatura import extract, html2txt


def text_of(html: str, main_content: bool) -> str:
    if not main_content:
        return html2txt(html)
    # Not its own deduplication: that remembers pages, so a text would depend on what the process saw before.
    return extract(html, include_comments=False, include_tables=True, deduplicate=False) or ""
