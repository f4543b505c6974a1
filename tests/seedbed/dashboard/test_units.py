import pytest

from seedbed.dashboard import units


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.0125, "12 ms"),
        (4.24, "4.2 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (190, "3 min 10 s"),
        (7500, "2 h 5 min"),
        (2 * 86400 + 4 * 3600 + 59, "2 d 4 h"),
    ],
)
def test_durations(seconds, written):
    assert units.duration(seconds) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, "–"), (0, "0"), (1234567, "1,234,567"), (0.125, "0.125"), (6.16644, "6.166"), (3.543e12, "3.543e12"),
     (1e14, "1e14"), (0.00012, "1.2e-4"), (4096.4, "4,096"), ("en", "en"), (True, "True")],
)  # fmt: skip
def test_measured_numbers(value, written):
    assert units.real(value) == written


@pytest.mark.parametrize(
    ("value", "written"), [(999, "999"), (12_345, "12.3 k"), (999_700, "1,000 k"), (1.35e6, "1.35 M"), (None, "–")]
)
def test_short_counts(value, written):
    assert units.short_count(value) == written


@pytest.mark.parametrize(
    ("num_bytes", "written"),
    [(512, "512 B"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB"), (1007 << 30, "1007.0 GiB"), (None, "–")],
)
def test_sizes(num_bytes, written):
    assert units.size(num_bytes) == written


@pytest.mark.parametrize(("value", "written"), [(0.314, "31%"), (0.0042, "0.42%"), (0, "0%"), (1, "100%")])
def test_shares(value, written):
    assert units.share(value) == written


def test_times_are_utc_and_ages_never_negative():
    assert units.clock(1_763_650_000.0) == "2025-11-20 14:46:40"
    assert units.ago(100.0, now=140.0) == "40 s ago"
    assert units.ago(141.0, now=140.0) == "0 s ago"
