"""Resiliparse's own rules: main content by names of elements and classes, over the tree of lexbor."""

from resiliparse.extract.html2text import extract_plain_text


def text_of(html: str, main_content: bool) -> str:
    return extract_plain_text(html, main_content=main_content, alt_texts=False, preserve_formatting=True)
