"""What is read and how it becomes token shards: the sources, and a configuration for each step of the data."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dataprep.annotate import AnnotateConfig
from dataprep.clean import CleanConfig
from dataprep.corpus import CorpusConfig
from dataprep.decontaminate.config import DecontaminateConfig
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.domain_cap import DomainCapConfig
from dataprep.extraction.page import ExtractConfig
from dataprep.mixture import MixtureConfig
from dataprep.reading.formats import ReaderConfig
from dataprep.removals import RemovalsConfig
from dataprep.repeats.config import RepeatsConfig
from dataprep.select import SelectConfig
from dataprep.shards import ShardsConfig
from dataprep.split import SplitConfig
from dataprep.tokenizer import TokenizerConfig
from seedbed.runfile.strict import Strict

SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
"""The first part of every document id, `source/path#record`, and of dotted keys: no slash and no dot."""


class SourceConfig(Strict):
    """Files that belong together: one crawl, one collection."""

    path: str = Field(
        min_length=1,
        description="a file, a folder or a glob (`*`, `**`, `?`, `[ab]`), local or any fsspec URL; starts at the "
        "folder of the file that says it. Of a folder, what a reader takes by the end of its name",
    )
    paths_below: str | None = Field(
        default=None,
        min_length=1,
        description="`path` is then a list, one path a line, plain or compressed (Common Crawl's `warc.paths.gz`), of "
        "files below this folder or URL: `https://data.commoncrawl.org/`, `s3://commoncrawl/`, a folder",
    )
    max_files: int | None = Field(
        default=None, ge=1, description="the first so many files: of a list in its order, else in the order of paths"
    )
    reader: ReaderConfig = Field(default=ReaderConfig(), description="how its files are read")
    licence: str | None = Field(default=None, description="what its content may be used under; goes into the datasheet")
    priority: int = Field(default=0, description="of two near-duplicates, the one of the higher priority is kept")


class DataConfig(Strict):
    """The way of the data, from crawl files to token shards."""

    sources: dict[SourceName, SourceConfig] = Field(min_length=1, description="by the name that leads document ids")
    extract: ExtractConfig = Field(default=ExtractConfig(), description="records to text")
    clean: CleanConfig = Field(default=CleanConfig(), description="lines that are cut")
    annotate: AnnotateConfig = Field(default=AnnotateConfig(), description="what is measured of a document")
    removals: RemovalsConfig = Field(default=RemovalsConfig(), description="what must not be learnt from")
    select: SelectConfig = Field(default=SelectConfig(), description="filters and their thresholds")
    deduplicate: DeduplicateConfig = Field(default=DeduplicateConfig(), description="what counts as the same text")
    domain_cap: DomainCapConfig | None = Field(
        default=None, description="how much a domain may be of the corpus, once copies are gone; null: no cap"
    )
    decontaminate: DecontaminateConfig | None = Field(
        default=None, description="evaluation items that must not be learnt; none: the step is left out"
    )
    repeats: RepeatsConfig | None = Field(
        default=None, description="passages that several documents have in common; none: the step is left out"
    )
    split: SplitConfig = Field(default=SplitConfig(), description="what is held out")
    corpus: CorpusConfig = Field(default=CorpusConfig(), description="the final form of the text")
    tokenizer: TokenizerConfig = Field(default=TokenizerConfig(), description="how the vocabulary is learnt")
    shards: ShardsConfig = Field(default=ShardsConfig(), description="how tokens are stored")
    mixture: MixtureConfig | None = Field(
        default=None, description="how often each source is seen; none: every document once an epoch"
    )
    max_quarantined_fraction: float = Field(
        default=0.001,
        ge=0,
        le=1,
        description="share of records that may fail in the extractor (crash or take too long) before the run fails",
    )

    @model_validator(mode="after")
    def _filters_find_their_columns(self) -> Self:
        self.select.check_columns(self.annotate.table_schema())
        return self
