"""`python -m benchmarks.deduplication`: see README.md beside this."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contest.command import carry_out, parser
from benchmarks.contest.setting import Setting
from benchmarks.deduplication.cases import bands, growth, kept, kept_by_pipelines, repeats, texts
from benchmarks.deduplication.texts import read_labelled, read_texts
from benchmarks.deduplication.truth import Bin, Scores, all_pairs, labelled_f1, s_curve, scores
from dataprep.deduplicate.config import DeduplicateConfig
from dataprep.kernels.minhash import MinHashConfig

CASES = {"bands": bands, "kept": kept, "pipelines": kept_by_pipelines, "growth": growth, "repeats": repeats}
RESULTS = Path(__file__).with_name("results") / "latest.json"
FINEWEB = MinHashConfig(num_bands=14, rows_per_band=8)
"""Penedo et al. 2024, and the peers' here."""

SEEDS = range(1, 21)
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def main() -> None:
    options = parser("python -m benchmarks.deduplication", str(__doc__), CASES | {"truth": None}, RESULTS)
    options.add_argument("--labelled", type=Path, help="a folder with labelled sets: NAME.train.gz and NAME.truth")
    given = options.parse_args()
    carry_out(given, CASES | {"truth": partial(truth, labelled=given.labelled)})


def truth(setting: Setting, labelled: Path | None) -> dict[str, Any]:
    """What `truth` finds, printed and as JSON."""
    text = read_texts(texts(setting))
    pairs = all_pairs(text, MinHashConfig())
    figures: dict[str, Any] = {"documents": len(text), "settings": []}
    print(f"\n**{len(text):,} texts, exact similarity of all pairs from 0.5 on: {len(pairs.low):,}**\n")
    print(
        "| bands x rows | true pairs | compared | one copy left | dropped | as similar to their keeper | candidates |"
    )
    print("|---|---|---|---|---|---|---|")
    for minhash in dict.fromkeys((FINEWEB, MinHashConfig())):
        score = scores(text, pairs, minhash, DeduplicateConfig())
        curve = s_curve(text, pairs, minhash, SEEDS)
        print(_score_line(minhash, score), flush=True)
        figures["settings"].append(
            {
                "num_bands": minhash.num_bands,
                "rows_per_band": minhash.rows_per_band,
                "scores": asdict(score),
                "s_curve": [asdict(one) | {"deviations": one.deviations} for one in curve],
            }
        )
    print(_curve_table(curve), flush=True)
    if labelled is not None:
        figures["labelled"] = _labelled(labelled)
    return figures


def _score_line(minhash: MinHashConfig, score: Scores) -> str:
    return (
        f"| {minhash.num_bands} x {minhash.rows_per_band} | {score.true_pairs:,} | {score.recall_compared:.4f} "
        f"| {score.recall_one_copy:.4f} | {score.dropped:,} | {score.precision:.4f} | {score.candidates:,} |"
    )


def _curve_table(curve: list[Bin]) -> str:
    lines = [
        "\n| similarity from | pairs | share a band | theory | spread | deviations |",
        "|---|---|---|---|---|---|",
    ]
    for one in curve:
        lines.append(
            f"| {one.least:.2f} | {one.pairs:,} | {one.measured:.4f} | {one.expected:.4f} | {one.spread:.4f} "
            f"| {one.deviations:.1f} |"
        )
    return "\n".join(lines)


def _labelled(folder: Path) -> list[dict[str, Any]]:
    found = []
    print("\n| labelled set | pairs | threshold | F1 | missed | found without a label |\n|---|---|---|---|---|---|")
    for name, names, text, pairs in read_labelled(folder):
        for threshold in THRESHOLDS:
            f1, missed, others = labelled_f1(names, text, pairs, MinHashConfig(), threshold)
            print(f"| {name} | {len(pairs)} | {threshold} | {f1:.4f} | {len(missed)} | {len(others)} |", flush=True)
            found.append({"set": name, "threshold": threshold, "f1": f1, "missed": missed, "without_label": others})
    return found


if __name__ == "__main__":
    main()
