"""Compiles every kernel into numba's cache, so that no worker waits for the compiler.

`python -m dataprep.kernels.warm` does it anew, at set-up and after a change of a kernel.
"""

import importlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataprep import schemas
from dataprep.kernels.deferred import Kernel

KERNEL_MODULES = (
    "utf8",
    "blocks",
    "mixing",
    "ascii_case",
    "edits",
    "character_rules",
    "normal_form",
    "phrases",
    "words",
    "word_statistics",
    "duplicates",
    "lines",
    "repetition",
    "line_rules",
    "line_phrases",
    "text_view",
    "line_keys",
    "suspicious_lines",
    "shingles",
    "minhash",
    "jaccard",
    "union_find",
    "marked_words",
    "ip_addresses",
    "account_numbers",
    "contacts",
    "personal_data",
    "ngram_counts",
    "ngram_scores",
    "arpa_lines",
    "linear_scores",
    "url_hosts",
    "domain_caps",
    "listed_words",
    "markup_tags",
    "markup_text",
    "markup_elements",
    "markup_attributes",
    "markup_scan",
    "block_features",
    "block_decisions",
    "block_text",
    "main_text",
    "place_tables",
    "word_spans",
    "ngram_variety",
    "benchmark_matches",
    "repeated_windows",
    "line_ranges",
    "cut_pieces",
    "fasttext_tables",
    "fasttext",
    "markup_limits",
    "rights_marks",
)

_NUM_PROCESSES = 2  # the parts are not of one size: more would end no sooner

PERSONAL = "a@b.co 91.198.174.192 2606:4700::1 DE89370400440532013000 4111111111111111 Tel.: (030) 123456 +49 30 123456"
"""One of each kind of personal data."""


def kernels() -> list[Kernel]:
    """Every compiled function of the package."""
    modules = [importlib.import_module(f"dataprep.kernels.{name}") for name in KERNEL_MODULES]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Kernel) and value.__module__ == module.__name__
    ]


def compile_all() -> None:
    """Runs every kernel once on its real argument types; takes what is cached already from the cache."""
    for part in PARTS:
        part()


def _markup() -> None:
    from dataprep.extraction.engines import blocks
    from dataprep.kernels.markup_limits import nesting_and_tags
    from dataprep.kernels.rights_marks import holds_mark

    blocks.text_of("<p>One line.", True)
    blocks.text_of("<p>One line.", False)
    nesting_and_tags(b"<p>One line.")
    holds_mark(b"<p>One line.", 12)


def _documents() -> pa.Table:
    # With something for every rule: a blank at the end of a line, a letter in two parts, a line of each kind.
    lines = [
        "One line. ",
        "This line needs JavaScript.",
        "3 likes",
        "sign-in, 3 items in cart, read more...",
        "cafe\u0301\u200b",
        "naÃ¯ve",
        "again and " * 20,
        "",
    ]
    text = pa.array(["\n".join(lines)], pa.large_string())
    columns = {"id": [bytes(16)], "url": [""], "offset": [0], "num_payload_bytes": [0], "text": text}
    blank = {name: [None] for name in schemas.DOCUMENTS.names if name not in columns}
    return pa.table({**columns, **blank}, schemas.DOCUMENTS)


def _clean() -> None:
    from dataprep.clean import CleanConfig, RefinedWebConfig, clean

    clean(_documents(), CleanConfig(refinedweb=RefinedWebConfig()))


def _annotate() -> None:
    from dataprep.annotate import AnnotateConfig, annotate
    from dataprep.clean import edit_table
    from dataprep.kernels.edits import cuts
    from dataprep.kernels.text_buffers import column

    documents, none = _documents(), np.zeros(0, np.int64)
    no_edits = cuts(np.zeros(2, np.int64), none, none, none.astype(np.int8))  # to need nothing of `_clean`
    text = column(documents, "text")
    edits = edit_table(column(documents, "id"), text, no_edits, np.zeros((2, 1), np.int64))
    annotate(documents, edits, AnnotateConfig())


def _learned_filters() -> None:
    from dataprep.kernels.ngram_counts import Level
    from dataprep.ngram_model import NgramConfig
    from dataprep.ngram_model import train as train_ngram_model
    from dataprep.quality_classifier import ClassifierConfig
    from dataprep.quality_classifier import train as train_classifier

    texts = [pa.array([f"one more line {number}\none more" for number in range(8)], pa.large_string())]
    train_ngram_model(texts, NgramConfig(order=2, min_word_count=1))
    Level().make_room(1 << 16)  # more than it begins with
    train_classifier(texts, texts, ClassifierConfig(bucket_bits=10, epochs=1, held_out_every=2))


def _sites_and_copies() -> None:
    from dataprep.deduplicate.components import components
    from dataprep.deduplicate.edges import EDGES
    from dataprep.domain_cap import DOMAIN_ROWS, DomainCapConfig, over_cap
    from dataprep.filters.url import UrlConfig
    from dataprep.kernels.jaccard import jaccard, shingle_sets
    from dataprep.kernels.suspicious_lines import suspicious_lines
    from dataprep.kernels.words import find_words
    from dataprep.personal_data import MaskConfig, PersonalDataConfig, mask
    from dataprep.site_boilerplate import boilerplate_cuts
    from dataprep.url_lists import url_facts

    url_facts(pa.array(["http://x.example/"]), UrlConfig().lists({}))
    mask(pa.array([PERSONAL], pa.large_string()), PersonalDataConfig(), MaskConfig())
    text = pa.array(["One line.\nnaÃ¯ve"], pa.large_string())
    boilerplate_cuts(text, np.ones(1, np.uint64), np.zeros(1, np.uint64))
    suspicious_lines(text)
    sets = shingle_sets(find_words(text), ngram_words=1)
    jaccard(sets, [0], sets, [0])
    ids = pa.array([number.to_bytes(16, "big") for number in range(600)], schemas.ID)  # more than it begins with
    components(pa.Table.from_arrays([ids[:-1], ids[1:]], schema=EDGES))
    over_cap(DOMAIN_ROWS.empty_table(), DomainCapConfig(max_documents=1))


def _evaluation_items() -> None:
    from dataprep.decontaminate.config import DecontaminateConfig, EvaluationSetConfig
    from dataprep.decontaminate.evaluation import ItemText
    from dataprep.decontaminate.index import build_index
    from dataprep.decontaminate.scan import scan

    # A text of which documents have all words, one that is looked for as a whole, and one with a word changed.
    warm = {"warm": EvaluationSetConfig(path="-")}
    wanted = DecontaminateConfig(sets=warm, ngram_words=4, min_words=2, max_changed_words=1)
    items = [ItemText("-#0", "", said) for said in ("one two three four five", "six seven")]
    index, _ = build_index([("warm", items)], wanted)
    scan(
        pa.array([bytes(16)], schemas.ID),
        pa.array(["one two three other five six seven"], pa.large_string()),
        index,
        wanted,
    )


def _repeats() -> None:
    from dataprep.deduplicate.config import DeduplicateConfig
    from dataprep.repeats.config import RecurringTextConfig, RepeatsConfig, SubstringsConfig
    from dataprep.repeats.cuts import decide_cuts
    from dataprep.repeats.later import later
    from dataprep.repeats.places import places
    from dataprep.repeats.signs import recurring, signs
    from dataprep.split import SplitConfig

    line = RecurringTextConfig(min_words=1)
    wanted = RepeatsConfig(lines=line, paragraphs=line, substrings=SubstringsConfig(min_words=2))
    ids = pa.array([bytes([number] * 16) for number in range(2)], schemas.ID)
    text = pa.array(["one (two)\n\nthree", "one (two)\n\nfour"], pa.large_string())
    (again,) = recurring([signs(text, wanted)], wanted)
    goes = later(places(ids, text, again, wanted), SplitConfig(), DeduplicateConfig(), wanted)
    survivors = pa.table({"id": ids, "num_bytes": pa.array([16, 15])})
    texts = pa.table({"id": ids, "text": text}).filter(pc.is_in(ids, value_set=goes["document"]))
    decide_cuts(survivors, goes, texts, wanted)


PARTS = (_annotate, _markup, _clean, _sites_and_copies, _evaluation_items, _repeats, _learned_filters)
"""Those that take longest go first: `main` gives each process the next part. Few kernels are in two of them."""


def forget_all() -> None:
    """Deletes what is cached. Numba notices a change in a kernel's own file, but not in one that it calls into."""
    for kernel in kernels():
        module = kernel.__module__.rsplit(".", 1)[-1]
        for cached in Path(str(kernel.dispatcher.stats.cache_path)).glob(f"{module}.*.nb[ic]"):
            cached.unlink(missing_ok=True)


def main() -> None:
    forget_all()
    with ProcessPoolExecutor(_NUM_PROCESSES, get_context("spawn")) as processes:
        for part in [processes.submit(part) for part in PARTS]:
            part.result()


if __name__ == "__main__":
    main()
