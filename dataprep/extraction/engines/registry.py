"""Every engine, by its name in the run file."""

from functools import cache
from pathlib import Path
from typing import Literal

from dataprep.extraction.engines.contract import Engine, TextOf

EngineName = Literal["resiliparse", "trafilatura", "blocks"]

_PLACE = "dataprep.extraction.engines"
ENGINES: dict[EngineName, Engine] = {
    engine.name: engine  # type: ignore[misc]
    for engine in (
        Engine("resiliparse", f"{_PLACE}.resiliparse", ("resiliparse",)),
        # jusText decides where trafilatura's own rules find too little; lxml parses.
        Engine("trafilatura", f"{_PLACE}.trafilatura", ("trafilatura", "justext", "lxml"), extra="trafilatura"),
        Engine("blocks", f"{_PLACE}.blocks", (), weights=Path(__file__).with_name("block_weights.npz")),
    )
}


@cache
def load_engine(name: EngineName) -> TextOf:
    """The engine's function. Raises EngineMissingError."""
    return ENGINES[name].load()
