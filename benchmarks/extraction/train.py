"""`python -m benchmarks.extraction.train --corpora FOLDER`: learn the weights of the engine `blocks`.

Learns from one half of the labelled sites and from some crawled pages, whose text trafilatura says; the other half of
the sites is not looked at. The second pass learns from what first passes say of pages that they have not seen.
"""

import argparse
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.extraction.labels import Labels, block_labels
from benchmarks.extraction.pages import CrawledPage, LabelledPage, crawled_pages, labelled_pages, site
from dataprep.extraction.engines.blocks import WEIGHTS
from dataprep.extraction.engines.registry import load_engine
from dataprep.kernels.block_decisions import DEPTH, NUM_COLUMNS, add_context
from dataprep.kernels.block_features import NUM_FEATURES
from dataprep.kernels.main_text import blocks_of, columns_of
from dataprep.kernels.markup_layout import END, START

CRAWL_WEIGHT = 0.3  # of a crawled page's blocks: their labels are another engine's, and pages of few sites are many
NUM_FOLDS = 3
TREES = {
    "max_depth": DEPTH,
    "max_leaf_nodes": 2**DEPTH,
    "l2_regularization": 3.0,
    "min_samples_leaf": 30,
    "max_features": 0.3,
    "max_bins": 64,
    "early_stopping": False,
    "random_state": 0,
}


@dataclass
class Example:
    """The blocks of one page."""

    site: str
    blocks: np.ndarray
    elements: np.ndarray
    x: np.ndarray  # columns as in `block_decisions`
    labels: Labels

    def take_scores(self, model: Any) -> None:
        """Fill the columns of context from what a first pass says."""
        if len(self.blocks):
            scores = model.decision_function(self.x[:, :NUM_FEATURES])
            add_context(self.blocks, self.elements, scores, self.x)


def main(argv: list[str] | None = None) -> int:
    """Learn both passes and write the weights."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extraction.train", description=__doc__)
    corpora = os.environ.get("SEEDBED_CORPORA", "../shared/corpora")
    parser.add_argument("--corpora", type=Path, default=Path(corpora), help="holds extraction/ and web/; %(default)s")
    parser.add_argument("--crawled", type=int, default=250, help="pages, from the first two files; %(default)s")
    parser.add_argument("--trees", type=int, default=100, help="of each pass; %(default)s")
    parser.add_argument("--learning-rate", type=float, default=0.08, help="%(default)s")
    parser.add_argument("--min-score", type=float, default=-0.5, help="log odds above which a block stays; %(default)s")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="%(default)s")
    options = parser.parse_args(argv)
    labelled = [page for page in labelled_pages(options.corpora / "extraction") if not page.is_held_out]
    crawled = list(crawled_pages(sorted((options.corpora / "web").glob("*.warc.gz"))[:2]))
    crawled = crawled[:: max(1, len(crawled) // options.crawled)]
    examples = [_example(page.page, page) for page in labelled] + [_example(page, None) for page in crawled]
    first, second = learn(examples, options.trees, options.learning_rate)
    parts = {f"first_{k}": v for k, v in forest(first).items()} | {f"second_{k}": v for k, v in forest(second).items()}
    np.savez_compressed(options.out, min_score=options.min_score, **parts)
    return 0


def _example(page: CrawledPage, labelled: LabelledPage | None) -> Example:
    html = page.html
    text, blocks, elements = blocks_of(np.frombuffer(html.encode("utf-8", "replace"), np.uint8).copy())
    texts = [text[b[START] : b[END]].tobytes().decode("utf-8", "replace") for b in blocks]
    labels = block_labels(
        texts, labelled, load_engine("trafilatura")(html, True), load_engine("resiliparse")(html, True)
    )
    if labelled is None:
        labels = Labels(labels.is_text, labels.weight * CRAWL_WEIGHT)
    return Example(site(page.url), blocks, elements, columns_of(text, blocks, elements), labels)


def learn(examples: list[Example], num_trees: int, learning_rate: float) -> tuple[Any, Any]:
    """The models of the first and the second pass."""

    def fit(some: list[Example], num_columns: int) -> Any:
        model = HistGradientBoostingClassifier(max_iter=num_trees, learning_rate=learning_rate, **TREES)
        x = np.concatenate([example.x[:, :num_columns] for example in some])
        y = np.concatenate([example.labels.is_text for example in some])
        return model.fit(x, y, sample_weight=np.concatenate([example.labels.weight for example in some]))

    folds: list[list[Example]] = [[] for _ in range(NUM_FOLDS)]
    for example in examples:
        folds[zlib.crc32(f"fold {example.site}".encode()) % NUM_FOLDS].append(example)
    for held, fold in enumerate(folds):
        model = fit([one for number, other in enumerate(folds) if number != held for one in other], NUM_FEATURES)
        for example in fold:
            example.take_scores(model)
    return fit(examples, NUM_FEATURES), fit(examples, NUM_COLUMNS)


def forest(model: Any) -> dict[str, np.ndarray]:
    """The trees as complete ones: `block_decisions` says how."""
    trees = [predictors[0].nodes for predictors in model._predictors]
    inner = 2**DEPTH - 1
    feature = np.zeros((len(trees), inner), np.uint16)
    threshold = np.full((len(trees), inner), np.inf, np.float32)
    value = np.zeros((len(trees), inner + 1), np.float32)

    def fill(tree: int, row: int, node: int, level: int) -> None:
        found = trees[tree][row]
        if found["is_leaf"]:  # all leaves below say the same
            width = 2 ** (DEPTH - level)
            first = (node + 1) * width - 1 - inner
            value[tree, first : first + width] = found["value"]
            return
        feature[tree, node], threshold[tree, node] = found["feature_idx"], found["num_threshold"]
        fill(tree, found["left"], 2 * node + 1, level + 1)
        fill(tree, found["right"], 2 * node + 2, level + 1)

    for tree in range(len(trees)):
        fill(tree, 0, 0, 0)
    base = np.array([float(np.ravel(model._baseline_prediction)[0])])
    return {"feature": feature, "threshold": threshold, "value": value, "base": base}


if __name__ == "__main__":
    raise SystemExit(main())
