"""datatrove from WARC to MinHash signatures: its reader, trafilatura, language, four filter families, signatures.

LID_MODEL (lid.176.ftz) FOLDER_OF_WARCS
"""

import sys
import tempfile
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.extractors import Trafilatura
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
)
from datatrove.pipeline.readers import WarcReader
from datatrove.utils.logging import logger
from fasttext.FastText import _FastText

from benchmarks.contest.meter import Meter, report


def main(model: str, warcs: str) -> None:
    logger.remove()
    language = LanguageFilter(language_threshold=0.65)
    language.model._model = _FastText(model)
    filters = [language, GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(), FineWebQualityFilter()]
    for one in filters:
        list(one.run(iter([Document(text="A short line of words.", id="warm")])))
    pages = 0

    def counted(documents):
        nonlocal pages
        for document in documents:
            pages += 1
            yield document

    with tempfile.TemporaryDirectory() as folder, Meter() as meter:
        documents = Trafilatura().run(counted(WarcReader(warcs).run()))
        for one in filters:
            documents = one.run(documents)
        MinhashDedupSignature(folder, MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)).run(documents)
    report(meter, pages=pages, num_bytes=sum(file.stat().st_size for file in Path(warcs).iterdir()))


if __name__ == "__main__":
    main(*sys.argv[1:])
