"""Numbers with units, for people."""


def si(number: float) -> str:
    """A large number to three digits: 1.23 M."""
    for factor, unit in ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= factor:
            value = number / factor
            return f"{value:.3g} {unit}" if abs(value) < 999.5 else f"{value:,.0f} {unit}"
    return f"{number:.3g} "


def num_bytes(number: float) -> str:
    """Bytes in binary units: 12.3 MiB."""
    for factor, unit in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if abs(number) >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number:.0f} B"


def duration(seconds: float | None) -> str:
    """1 h 02 min, 3 min 20 s, 12 s; empty where it is not known."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
