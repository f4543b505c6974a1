"""Numbers, sizes and times as people read them. What is not known is an en dash, never a zero."""

import time
from datetime import UTC, datetime
from typing import Any

from seedbed.units import num_bytes, si

UNKNOWN = "–"
_SECONDS_PER_DAY = 86400
_MIN_PLAIN, _MAX_PLAIN = 1e-3, 1e6  # beyond, a real number is written as 1.2e-4
_MAX_INTEGER = 10**12  # beyond, nobody reads the digits
_MIN_SHORT = 1e4  # four digits are read as quickly as three and a letter


def count(value: float | None) -> str:
    """1,234,567"""
    return UNKNOWN if value is None else f"{value:,.0f}"


def short_count(value: float | None) -> str:
    """1.23 M: three digits, with the powers of a thousand that people say."""
    return si(value) if value is not None and abs(value) >= _MIN_SHORT else count(value)


def real(value: Any, digits: int = 4) -> str:
    """A measured number with `digits` digits that count; an integer whole."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return UNKNOWN if value is None else str(value)
    if isinstance(value, int) and abs(value) < _MAX_INTEGER:
        return f"{value:,}"
    if value == 0 or _MIN_PLAIN <= abs(value) < _MAX_PLAIN:
        return f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def nats(value: float | None) -> str:
    """A loss: three digits behind the point."""
    return UNKNOWN if value is None else f"{value:.3f}"


def share(value: float | None) -> str:
    """31%; less than one percent keeps a digit."""
    if value is None:
        return UNKNOWN
    percent = 100 * value
    return f"{percent:.0f}%" if percent >= 10 or percent == 0 else f"{percent:.2g}%"


def size(value: float | None) -> str:
    """1.5 GiB"""
    return UNKNOWN if value is None else num_bytes(value)


def duration(seconds: float | None) -> str:
    """4.2 s, 3 min 10 s, 2 h 5 min, 3 d 4 h"""
    if seconds is None:
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.1 or seconds == 0 else f"{seconds * 1000:.2g} ms"
    whole = round(seconds)
    for limit, step, units in ((60, 1, "s"), (3600, 60, "min s"), (_SECONDS_PER_DAY, 3600, "h min")):
        if whole < limit:
            if step == 1:
                return f"{whole} s"
            big, small = units.split()
            rest = whole % step // (1 if step == 60 else 60)
            return f"{whole // step} {big}" + (f" {rest} {small}" if rest else "")
    hours = whole % _SECONDS_PER_DAY // 3600
    return f"{whole // _SECONDS_PER_DAY} d" + (f" {hours} h" if hours else "")


def clock(at: float | None) -> str:
    """2026-11-20 15:04:05, UTC."""
    return UNKNOWN if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(at: float | None, now: float | None = None) -> str:
    """40 s ago"""
    if at is None:
        return "never"
    return f"{duration(max(round((now or time.time()) - at), 0))} ago"


FILTERS = {
    "count": count,
    "short_count": short_count,
    "real": real,
    "nats": nats,
    "share": share,
    "size": size,
    "duration": duration,
    "clock": clock,
    "iso": iso,
    "ago": ago,
}
"""By the name that templates use."""
