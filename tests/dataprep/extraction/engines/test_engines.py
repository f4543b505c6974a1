"""What holds for every engine."""

from importlib.metadata import PackageNotFoundError

import pytest

from dataprep.extraction.engines import contract
from dataprep.extraction.engines.contract import Engine, EngineMissingError
from dataprep.extraction.engines.registry import ENGINES, load_engine
from dataprep.extraction.page import ExtractConfig, extract_page

SENTENCES = [
    "The first sentence says what the page is about, and it goes on for a while so that it looks like one.",
    "The second paragraph, which is a little longer than the first, has commas, clauses, and a full stop at its end.",
    "The third one says that all of this is the text that a reader came for, and that nothing of it is a menu.",
    "Grüße aus Köln: naïve façades, 20 € and “quotes” stand here, so that bytes outside of ASCII are in it as well.",
]
PAGE = (
    "<!doctype html><html><head><title>A page</title></head><body>"
    "<nav class='menu'><ul><li><a href='/'>Home</a></li>"
    "<li><a href='/b'>Elsewhere</a></li></ul></nav>"
    "<main><article><h1>A heading of the page</h1>" + "".join(f"<p>{s}</p>" for s in SENTENCES) + "</article></main>"
    "<footer class='footer'><a href='/imprint'>Imprint</a> Copyright</footer>"
    "<script>var hidden = 1</script></body></html>"
)
HOSTILE = [
    "<" * 200_000,
    "&" * 200_000,
    "<!--" * 50_000,
    "<p>x" * 20_000,
    "<div>" * 900 + "x",
    "<p>\x00\x01\x02 a</p>" * 100,
    "&#xD800;&#0;&#x110000;",
    "<table>" * 300 + "</div>" * 1000,
    "",
]

each_engine = pytest.mark.parametrize("name", list(ENGINES))


@each_engine
def test_the_article_comes_out_and_what_stands_around_it_does_not(name):
    text = load_engine(name)(PAGE, True)
    assert all(sentence in text for sentence in SENTENCES)
    assert not any(word in text for word in ("Elsewhere", "Imprint", "var hidden"))


@each_engine
def test_more_comes_out_when_not_only_the_main_content_is_wanted(name):
    text = load_engine(name)(PAGE, False)
    around = [] if name == "trafilatura" else ["Elsewhere", "Imprint"]  # it has no form with everything
    assert all(sentence in text for sentence in [*SENTENCES, *around])
    assert "var hidden" not in text


@each_engine
@pytest.mark.parametrize("charset", ["utf-8", "windows-1252", "utf-16"])
def test_the_text_does_not_depend_on_the_charset_of_the_page(name, charset):
    config = ExtractConfig(engine=name)
    expected = extract_page(PAGE.encode(), "text/html", "utf-8", config)
    found = extract_page(PAGE.encode(charset), "text/html", charset, config)
    assert found.problem is None
    assert found.text == expected.text


@each_engine
def test_what_came_before_changes_no_text(name):
    text_of = load_engine(name)
    first = text_of(PAGE, True)
    text_of("<p>" + SENTENCES[0], True)
    assert text_of(PAGE, True) == first


@each_engine
@pytest.mark.parametrize("page", HOSTILE, ids=lambda page: page[:12])
def test_nothing_is_raised_for_broken_pages(name, page):
    assert isinstance(load_engine(name)(page, True), str)
    assert isinstance(load_engine(name)(page, False), str)


def test_an_engine_names_the_packages_that_decide_its_text():
    assert {name: sorted(engine.software()) for name, engine in ENGINES.items()} == {
        "resiliparse": ["resiliparse"],
        "trafilatura": ["justext", "lxml", "trafilatura"],
        "blocks": ["block_weights.npz"],
    }


def test_an_engine_that_is_not_installed_is_named_with_what_mends_it(monkeypatch):
    engine = Engine("careful", "no_such_module.at_all", ("no-such-package",), extra="careful")
    message = r"^data.extract.engine is careful, which needs .*no.such.*: install seedbed\[careful\], or take another"
    with pytest.raises(EngineMissingError, match=message):
        engine.software()
    with pytest.raises(EngineMissingError, match=message):
        engine.load()


def test_a_page_is_never_blamed_for_a_missing_engine(monkeypatch):
    from dataprep.extraction.isolation import IsolatedExtractor

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(contract, "version", missing)
    with pytest.raises(EngineMissingError, match="trafilatura"):
        IsolatedExtractor(ExtractConfig(engine="trafilatura"))
