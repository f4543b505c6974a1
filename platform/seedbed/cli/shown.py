"""Text that others have written, before a terminal shows it."""

_KEPT = "\n\t"
_CONTROLS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in _KEPT}
"""C0, DEL and C1 (ECMA-48): what moves cursors, sets titles and clipboards, or hides what was printed before."""


def shown(text: str) -> str:
    """The text, with a replacement character for each control but tabs and line ends: neither a crawled page nor who
    prints into a log commands the terminal."""
    return text.replace("\r\n", "\n").translate(_CONTROLS)
