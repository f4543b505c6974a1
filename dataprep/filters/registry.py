"""The filters by the name that a run file gives them, in the order in which they are applied."""

from pydantic import BaseModel

from dataprep.filters.c4 import C4Config
from dataprep.filters.fineweb import FineWebConfig
from dataprep.filters.gopher_quality import GopherQualityConfig
from dataprep.filters.gopher_repetition import GopherRepetitionConfig
from dataprep.filters.language import LanguageConfig
from dataprep.filters.offensive_score import OffensiveScoreFilterConfig
from dataprep.filters.offensive_words import OffensiveWordsFilterConfig
from dataprep.filters.opt_out import OptOutConfig
from dataprep.filters.perplexity import PerplexityFilterConfig
from dataprep.filters.personal_data import PersonalDataFilterConfig
from dataprep.filters.quality import QualityConfig
from dataprep.filters.refinedweb import RefinedWebFilterConfig
from dataprep.filters.url import UrlConfig

FILTERS: dict[str, type[BaseModel]] = {
    "opt_out": OptOutConfig,
    "url": UrlConfig,
    "personal_data": PersonalDataFilterConfig,
    "language": LanguageConfig,
    "refinedweb": RefinedWebFilterConfig,
    "gopher_repetition": GopherRepetitionConfig,
    "offensive_words": OffensiveWordsFilterConfig,
    "offensive_score": OffensiveScoreFilterConfig,
    "gopher_quality": GopherQualityConfig,
    "c4": C4Config,
    "fineweb": FineWebConfig,
    "perplexity": PerplexityFilterConfig,
    "quality": QualityConfig,
}


def summary(config: type[BaseModel]) -> str:
    """What a filter's config says of itself first: the first sentence of its docstring, without the full stop."""
    first_paragraph = " ".join((config.__doc__ or "").split("\n\n")[0].split())
    return first_paragraph.split(". ")[0].removesuffix(".")
