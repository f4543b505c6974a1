"""How many crawled pages are left after language and Gopher quality, with the text that an engine finds."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from dataprep import schemas
from dataprep.annotate import AnnotateConfig, annotate
from dataprep.clean import CleanConfig, clean
from dataprep.filters.gopher_quality import GopherQualityConfig
from dataprep.filters.language import LanguageConfig
from dataprep.select import SelectConfig, select

# As configs/data/demo.yaml: the rules that are English are held against English only.
SELECT = SelectConfig(
    language=LanguageConfig(min_score=0.65),
    gopher_quality=GopherQualityConfig(mean_word_length_languages=["en"], stop_word_languages=["en"]),
)


def survival(texts: Sequence[str]) -> dict[str, int]:
    """Documents kept, their bytes, and how many went for each reason."""
    rows = [
        {"id": number.to_bytes(16, "big"), "url": "", "offset": 0, "num_payload_bytes": 0, "text": text}
        for number, text in enumerate(texts)
    ]
    documents = pa.Table.from_pylist(rows, schemas.DOCUMENTS)
    attributes = annotate(documents, clean(documents, CleanConfig()), AnnotateConfig())
    verdicts = select(attributes, SELECT)
    reasons = verdicts["reason"].to_pylist()
    num_bytes = sum(len(text.encode()) for text, reason in zip(texts, reasons, strict=True) if reason is None)
    counts = Counter(reason for reason in reasons if reason is not None)
    return {"kept": reasons.count(None), "kept_bytes": num_bytes, **dict(counts.most_common())}
