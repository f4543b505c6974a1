"""The filters by the name that a run file gives them, in the order in which they are applied."""

from pydantic import BaseModel

from dataprep.filters.gopher_quality import GopherQualityConfig
from dataprep.filters.language import LanguageConfig

FILTERS: dict[str, type[BaseModel]] = {
    "language": LanguageConfig,
    "gopher_quality": GopherQualityConfig,
}
