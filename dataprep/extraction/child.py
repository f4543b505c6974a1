"""The process that looks at pages: requests on standard input (pickled), answers on standard output (`answers`).

Started as `python -m dataprep.extraction.child CONFIG_JSON`. It may be killed at any time; its parent starts another.
"""

import os
import pickle
import resource
import signal
import sys

from dataprep.extraction.answers import pack_answers
from dataprep.extraction.engines.registry import load_engine
from dataprep.extraction.page import ExtractConfig, Extracted, extract_page
from dataprep.kernels.markup_limits import nesting_and_tags
from dataprep.reading.record import Problem


def main() -> None:
    """Answer until standard input ends."""
    config = ExtractConfig.model_validate_json(sys.argv[1])
    limit = config.memory_mb << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    # The kernel ends a page that takes too long, in whatever library it is: SIGPROF is left to its default action.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    requests = sys.stdin.buffer
    # Whatever a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    load_engine(config.engine)  # before the first page, whose time it must not take
    nesting_and_tags(b"<p>")
    answers.write(pack_answers([]))  # ready
    answers.flush()
    while True:
        try:
            pages = pickle.load(requests)
        except EOFError:
            return
        found = []
        for payload, content_type, charset in pages:
            signal.setitimer(signal.ITIMER_PROF, config.timeout_s)
            found.append(_answer(payload, content_type, charset, config))
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(pack_answers(found))
        answers.flush()


def _answer(payload: bytes, content_type: str | None, charset: str | None, config: ExtractConfig) -> Extracted:
    try:
        return extract_page(payload, content_type, charset, config)
    except MemoryError:
        return Extracted(problem=Problem("extraction_failed", detail="out of memory"))
    except Exception as error:  # noqa: BLE001 - one page must not end a shard; its error is kept with it
        return Extracted(problem=Problem("extraction_failed", detail=f"{type(error).__name__}: {error}"[:300]))


if __name__ == "__main__":
    main()
