import pyarrow as pa
import pytest

from dataprep.registered_domains import registered_domains


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://x.example/page", "x.example"),
        ("https://WWW.News.Example.co.uk:8080/a?b=c", "example.co.uk"),
        ("http://user@deep.down.example.com./", "example.com"),
        ("https://ann.github.io/", "ann.github.io"),  # a name below a private suffix is somebody's own
        ("https://github.io/", "github.io"),
        ("http://co.uk/", "co.uk"),
        ("http://localhost/", "localhost"),
        ("http://8.138.4.1/", "8.138.4.1"),
        ("http://[2001:DB8::1]:80/", "[2001:db8::1]"),
        ("https://www.bücher.example.de/", "example.de"),
        ("https://shop.Bücher.de/", "xn--bcher-kva.de"),
        ("https://shop.xn--bcher-kva.de/", "xn--bcher-kva.de"),
        ("no url at all", None),
        ("", None),
        (None, None),
    ],
)
def test_the_registered_domain_is_what_somebody_has_below_a_public_suffix(url, domain):
    assert registered_domains(pa.array([url], pa.string())).to_pylist() == [domain]


def test_many_hosts_of_one_domain_are_one():
    urls = pa.array(["https://a.example.com/", None, "https://b.example.com/", "https://c.example.org/"])
    found = registered_domains(urls)
    assert found.to_pylist() == ["example.com", None, "example.com", "example.org"]
    assert len(found.dictionary) == 2
    assert registered_domains(urls[:0]).to_pylist() == []
