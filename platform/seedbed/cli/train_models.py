"""`seedbed train-ngram-model` and `seedbed train-classifier`."""

from pathlib import Path
from typing import Annotated

import typer

FormatOption = Annotated[str, typer.Option("--format", help="As a source's reader.format; auto: by the names.")]
TextFieldOption = Annotated[str, typer.Option("--text-field", help="JSONL and tables: the key of the text.")]


def train_ngram_model(
    texts: Annotated[list[str], typer.Argument(metavar="TEXTS...", help="Files, folders or globs of text to imitate.")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL.arpa.gz", help="Where the model is written.")],
    order: Annotated[int, typer.Option(min=2, max=5, help="Words of the longest n-grams.")] = 4,
    min_word_count: Annotated[int, typer.Option(min=1, help="Rarer words are <unk>.")] = 2,
    max_ngrams: Annotated[int, typer.Option(min=1, help="Most n-grams met; 80 bytes of memory each.")] = 50_000_000,
    file_format: FormatOption = "auto",
    text_field: TextFieldOption = "text",
) -> None:
    """Train an n-gram model of good text: what `data.annotate.perplexity` measures documents by."""
    from seedbed.cli.printing import console
    from seedbed.train_models import train_ngram_model as train

    options = {"order": order, "min_word_count": min_word_count, "max_ngrams": max_ngrams}
    facts = train(texts, out, options, {"format": file_format, "text_field": text_field})
    said = console()
    ngrams = " + ".join(f"{number:,}" for number in facts["num_ngrams"])
    said.print(f"{out}: {ngrams} n-grams of 1 to {order} words, from {facts['num_words']:,} words")
    if facts["num_reference_documents"]:
        perplexity, number = facts["reference_perplexity"], facts["num_reference_documents"]
        said.print(f"perplexity of {number:,} documents that were held out: {perplexity:,.1f}")
    if "reference_log10_e7" not in facts:
        said.print("too few documents were held out for percentiles: limits must be perplexities")
    said.print("in the run file:\n  data:\n    annotate:\n      perplexity:\n        model: " + str(out))
    limits = "max_percentile: 95" if "reference_log10_e7" in facts else "max_perplexity: ..."
    said.print(f"    select:\n      perplexity:\n        {limits}")


def train_classifier(
    good: Annotated[list[str], typer.Option("--good", help="Files, folders or globs of wanted text; may repeat.")],
    other: Annotated[list[str], typer.Option("--other", help="The same, of text as it comes; may repeat.")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL.safetensors", help="Where the model is written.")],
    epochs: Annotated[int, typer.Option(min=1, help="Times that each passage is learnt from.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another order of learning.")] = 0,
    file_format: FormatOption = "auto",
    text_field: TextFieldOption = "text",
) -> None:
    """Train a classifier of good text: what `data.annotate.quality_classifier` scores documents by."""
    from seedbed.cli.printing import console, plain_table
    from seedbed.train_models import train_classifier as train

    options = {"epochs": epochs, "seed": seed}
    facts = train(good, other, out, options, {"format": file_format, "text_field": text_field})
    said = console()
    table = plain_table(
        "", "documents", "held out", "of these right", right=("documents", "held out", "of these right")
    )
    shares = [f"{share:.1%}" for share in facts.get("held_out_accuracy", [])] or ["none", "none"]
    rows = zip(("good", "other"), facts["num_documents"], facts["num_held_out"], shares, strict=True)
    for name, documents, held_out, share in rows:
        table.add_row(name, f"{documents:,}", f"{held_out:,}", share)
    said.print(table)
    if "held_out_auc" in facts:
        said.print(
            f"{out}: a good document scores higher than another one in {facts['held_out_auc']:.2%} of cases (AUC)"
        )
    else:
        said.print(f"{out}: too few documents to hold some out: how well it does is not known")
    said.print("in the run file:\n  data:\n    annotate:\n      quality_classifier:\n        model: " + str(out))
    said.print("    select:\n      quality:\n        pareto: 9  # or min_score: 0.5")
