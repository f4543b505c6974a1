import time

import numpy as np
import pyarrow as pa
import pytest

from dataprep.errors import DataError
from dataprep.filters.url import UrlConfig
from dataprep.url_lists import SHIPPED, parse_domains, parse_words, url_facts

OWN = UrlConfig(blocked_domains=("d",), hard_words=("h",), soft_words=("s",), shipped_lists=False)
CONTENTS = {
    "d": "# comment\nBad.example\n*.worse.example # why\nbücher.example.\n",
    "h": "spam\nписьмо\n",
    "s": "free\nwin\n",
}


def facts(*urls: str | None, config: UrlConfig = OWN) -> list[tuple[int, int, int, int]]:
    """Of each URL: is blocked, is an IP address, hard words, soft words."""
    lists = config.lists({name: text.encode() for name, text in CONTENTS.items()})
    found = url_facts(pa.array(urls, pa.string()), lists)
    return list(zip(*(column.tolist() for column in found.values()), strict=True))


def blocked(*urls: str) -> list[bool]:
    return [row[0] == 1 for row in facts(*urls)]


def test_a_domain_is_blocked_with_all_below_it():
    assert all(
        blocked(
            "http://bad.example/",
            "https://www.BAD.example:8080/x",
            "http://a.b.bad.example.",
            "http://joe@bad.example/@good.example",
            "ftp://worse.example?x",
            "http://www.bücher.example/",
            "http://xn--bcher-kva.example/",
        )
    )
    assert not any(
        blocked(
            "http://notbad.example/",
            "http://bad.example.org/",
            "http://example/",
            "http://good.example/bad.example",
            "http://good.example/?u=http://bad.example/",
            "http://bad.example@good.example/",
            "mailto:joe@bad.example",
            "bad.example",
            "",
        )
    )


def test_addresses_are_hosts_too():
    found = facts(
        "http://192.168.0.1:80/", "http://[2606:4700::1]/", "http://1.2.3/", "http://192.168.0.1.example/", None
    )
    assert [row[1] for row in found] == [1, 1, 0, 0, 0]


def test_words_count_wherever_they_stand_as_whole_words():
    found = facts("http://win-free.example/Free_spam.html", "http://winfree.example/spammer", "http://x.example/письмо")
    assert [row[2:] for row in found] == [(1, 3), (0, 0), (1, 0)]


def test_rules_name_what_is_wrong():
    urls = [
        "http://bad.example/",
        "http://x.example/spam",
        "http://x.example/free/win",
        "http://x.example/win",
        "http://1.2.3.4/",
    ]
    lists = OWN.lists({name: text.encode() for name, text in CONTENTS.items()})
    table = pa.table({name: pa.array(values) for name, values in url_facts(pa.array(urls), lists).items()})
    failed = [[rule.reason for rule in OWN.rules(table) if rule.fails[row]] for row in range(5)]
    assert failed == [["blocked_domain"], ["blocked_url_word"], ["too_many_suspect_url_words"], [], ["ip_address_host"]]


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (parse_domains, "x.example\nhttp://y.example/\n", "list, line 2: 'http://y.example/' is no domain"),
        (parse_domains, "x.example\n0.0.0.0 y.example", "list, line 2: '0.0.0.0 y.example' is no domain"),
        (parse_words, "one\n\ntwo words\n", "list, line 3: 'two words' is not one word"),
    ],
)
def test_what_is_no_entry_is_refused_with_its_line(parse, text, says):
    with pytest.raises(DataError, match=says):
        parse(text.encode(), "list")


def test_a_list_that_is_no_text_is_refused():
    with pytest.raises(DataError, match="list, line 2: not UTF-8"):
        parse_domains(b"x.example\n\xff\n", "list")


def test_the_shipped_lists_can_be_read_and_hold_words_of_their_own():
    shipped = UrlConfig().lists({})
    assert len(shipped.domains.hashes) == 20
    assert not set(shipped.hard_words) & set(shipped.soft_words)
    assert all("Apache-2.0" in path.read_text().split("\n\n")[0] for path in SHIPPED.glob("*.txt"))
    assert facts("https://www.bit.ly/x", "http://x.example/casino-poker", config=UrlConfig()) == [
        (1, 0, 0, 0),
        (0, 0, 0, 2),
    ]


def test_manuals_pass_the_shipped_lists():
    urls = (
        "https://man.example/ssh-keygen.1.html",
        "https://qt.example/signals-and-slots/slot.html",
        "https://db.example/replica/replica",
    )
    assert [row[0] + row[2] + row[3] for row in facts(*urls, config=UrlConfig())] == [0, 0, 0]


def test_a_million_domains_are_looked_up_at_ten_thousands_of_pages_a_second():
    names = pa.array([f"site{i}.d{i % 999}.example" for i in range(1_000_000)], pa.large_string())
    contents = {"d": "\n".join(names.to_pylist()).encode()}
    lists = UrlConfig(blocked_domains=("d",)).lists(contents)
    urls = pa.array([f"https://www.site{i}.d{i % 998}.example/a/page-{i}.html?id={i}" for i in range(50_000)])
    url_facts(urls[:10], lists)
    started = time.process_time()
    found = url_facts(urls, lists)
    assert 50_000 / (time.process_time() - started) > 20_000  # 200,000 here
    assert found["url_is_blocked"].sum() == np.sum(np.arange(50_000) % 998 == np.arange(50_000) % 999)
