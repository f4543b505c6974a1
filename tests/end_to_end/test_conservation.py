"""Every step is broken on purpose, in what it makes and in what it reads: no row and no byte of text may go unnoticed.

The steps are the real ones, done in this process. A small store is made once; each test takes a copy of it that ends
before its step, breaks one function, and goes on to the ledger.
"""

import importlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dataprep.decontaminate.cuts import Decided
from dataprep.errors import CorruptDataError
from dataprep.shards import TokenShard
from jobs.executor import InlineExecutor
from jobs.run import do_step
from jobs.unit import Unit
from seedbed import steps
from seedbed.artifact import Artifact
from seedbed.errors import ConservationError
from seedbed.plan import Plan, make_plan
from seedbed.progress import Progress
from seedbed.runfile.load import load_run
from seedbed.state import StateDirectory
from seedbed.store import Store
from tests.jobs.steps.lost_rows import lose_the_first_row

ALL = [step.kind for step in steps.STEPS]
STEPS = ALL[: ALL.index("ledger") + 1]  # what comes after reads no documents

RUN = """\
name: conserved
data:
  sources: {pages: {path: pages}}
  select: {gopher_quality: {min_words: 20}}
  decontaminate:
    sets: {exam: {path: exam.txt}}
    min_different_share: 0.5
    action: cut
  repeats: {substrings: {min_words: 10}, min_words_left: 20}
  split: {validation_fraction: 0.4}
  tokenizer: {vocab_size: 300}
model: {num_layers: 1, width: 8, num_heads: 1, sequence_length: 8, vocab_size: 300}
training: {num_steps: 1, global_batch_tokens: 16, micro_batch_sequences: 1, learning_rate: 1e-3}
cluster: {}
"""


class ThisProcess:
    """What stands in for a cluster."""

    def start(self) -> None: ...

    def executor(self) -> InlineExecutor:
        return InlineExecutor()


def page(rng: random.Random, last_line: str) -> str:
    """All pages are of one length: no sum of bytes tells one from another."""
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(60)]
    return f"{FIRST_LINE}\n{' '.join(words)}\n{last_line}"


FIRST_LINE = "the way of this page to the end and have it with that"
"""13 words that every page has: all but one lose them."""


def write_pages(folder: Path) -> None:
    """Two files of records. In each, among others: two pages in a row that are kept, the one with a line that `clean`
    cuts; a copy and a near copy of one page; a page that is too short; three records that are no page."""
    rng = random.Random(1)
    copied = page(rng, "it goes on and on")
    folder.mkdir()
    for name in ("a", "b"):
        texts = [page(rng, line) for line in ("enable javascript", "it goes on and on") * 3]
        texts[0], texts[1] = (f"{EXAM}\n{text}" for text in texts[:2])
        texts += [copied, copied.replace("it goes on and on", f"it goes {name} and on"), "too short"]
        pages = [json.dumps({"text": text, "url": f"https://{name}.example/{n}"}) for n, text in enumerate(texts)]
        (folder / f"{name}.jsonl").write_text("\n".join([*pages, '{"text": " "}', "no JSON", "nor this"]) + "\n")


EXAM = "a passage that is asked about in an exam and stands on one page"
"""13 words, on two pages of each file."""


def carry_out(plan: Plan, store: Path, state: Path) -> None:
    for planned in plan.steps:
        if planned.kind in STEPS:
            do_step(planned, plan, Store(str(store)), StateDirectory(state), Progress(), ThisProcess())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    """A store with every data step done, and its plan."""
    folder = tmp_path_factory.mktemp("sound")
    write_pages(folder / "pages")
    (folder / "exam.txt").write_text(EXAM)
    (folder / "run.yaml").write_text(RUN)
    plan = make_plan(load_run(str(folder / "run.yaml"), ()), Store(str(folder / "store")))
    carry_out(plan, folder / "store", folder / "state")
    return folder / "store", plan


@pytest.fixture
def go_on_from(sound: tuple[Path, Plan], tmp_path: Path) -> Callable[[str], None]:
    """A function that does a step once more, and all that come after it."""

    def go_on(step: str) -> None:
        store, plan = sound
        again = [f"{kind}-*" for kind in STEPS[STEPS.index(step) :]]
        shutil.copytree(store, tmp_path / "store", ignore=shutil.ignore_patterns(*again))
        carry_out(plan, tmp_path / "store", tmp_path / "state")

    return go_on


def test_what_the_tests_break_is_all_there(sound):
    store, plan = sound
    dropped = {kind: manifest(store, plan, kind)["dropped"] for kind in ("extract", "select", "deduplicate")}
    assert dropped["extract"] == {"empty_page": 2, "invalid_json": 4}
    assert dropped["select"] == {"too_few_words": 2}
    assert sum(dropped["deduplicate"].values()) == 3
    assert manifest(store, plan, "deduplicate")["counts"]["rejected_pairs"] == 0
    assert manifest(store, plan, "decontaminate")["bytes_cut"] == 4 * len(EXAM)
    assert manifest(store, plan, "decontaminate")["counts"]["documents_cut"] == 4
    repeats = manifest(store, plan, "repeats")
    assert repeats["bytes_cut"] == (repeats["records_in"] - 1) * len(FIRST_LINE)
    assert manifest(store, plan, "clean")["bytes_cut"] == 6 * len("enable javascript")
    assert manifest(store, plan, "ledger")["counts"]["urls"] == 18


def manifest(store: Path, plan: Plan, kind: str) -> dict[str, Any]:
    return Artifact(Store(str(store)), kind, plan.step(kind).fingerprint).committed()


def rows(table: pa.Table, *first: int) -> pa.Table:
    """These rows in the place of the first two."""
    return table.take([*first, *range(2, table.num_rows)])


def lose_a_row(table: pa.Table) -> pa.Table:
    return rows(table, 1)


def lose_all_rows(table: pa.Table) -> pa.Table:
    return table.slice(0, 0)


def swap_two_rows(table: pa.Table) -> pa.Table:
    return rows(table, 1, 0)


def duplicate_a_row(table: pa.Table) -> pa.Table:
    return rows(table, 0, 0, 1)


def put_a_row_in_the_place_of_another(table: pa.Table) -> pa.Table:
    return rows(table, 1, 1)


def lose_a_byte(table: pa.Table) -> pa.Table:
    """Of a text, or of what the table says of a text's length."""
    for name in ("text", "tokens", "num_bytes", "ends"):
        if name in table.column_names:
            values = table[name].to_pylist()
            values[0] = _less(values[0], name)
            return replaced(table, name, pa.array(values, table.schema.field(name).type))
    raise AssertionError("nothing in this table speaks of text")


def _less(value: Any, name: str) -> Any:
    if name == "ends":
        return [value[0] - 1, *value[1:]]
    return value - 1 if name == "num_bytes" else value[1:]


def swap_two_texts(table: pa.Table) -> pa.Table:
    """The ids stay; what stands beside two of them is swapped."""
    return replaced(swap_two_rows(table), "id", table["id"])


def replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), values)


def swap_two_documents_of_a_shard(shard: TokenShard) -> TokenShard:
    """The sidecar stays."""
    first, second = shard.lengths[:2]
    tokens = np.concatenate([np.roll(shard.tokens[: first + second], second), shard.tokens[first + second :]])
    return replace(shard, tokens=tokens, lengths=np.concatenate([[second, first], shard.lengths[2:]]))


def lose_a_token(shard: TokenShard) -> TokenShard:
    return replace(shard, tokens=shard.tokens[1:], lengths=shard.lengths - np.eye(1, len(shard.lengths), dtype=int)[0])


def lose_a_document_of_a_sidecar(shard: TokenShard) -> TokenShard:
    return replace(shard, sidecar=shard.sidecar.slice(1))


def of_verdicts(mutation: Callable) -> Callable:
    """The same, done to the verdicts of what `decide_cuts` gives."""

    def mutate(decided: Decided) -> Decided:
        return replace(decided, verdicts=mutation(decided.verdicts))

    mutate.__name__ = f"verdicts_{mutation.__name__}"
    return mutate


def of_cuts(mutation: Callable) -> Callable:
    """The same, done to the cuts of what `decide_cuts` gives."""

    def mutate(decided: Decided) -> Decided:
        return replace(decided, cuts=mutation(decided.cuts))

    mutate.__name__ = f"cuts_{mutation.__name__}"
    return mutate


def of_each(mutation: Callable) -> Callable:
    """The same, done to each table of those that come in turn."""

    def mutate(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        return map(mutation, tables)

    mutate.__name__ = f"each_{mutation.__name__}"
    return mutate


LOSSES = [lose_a_row, lose_all_rows, duplicate_a_row, put_a_row_in_the_place_of_another]
ROWS = [*LOSSES, swap_two_rows]
ROWS_AND_SIZES = [*ROWS, lose_a_byte]
ROWS_AND_TEXTS = [*ROWS, lose_a_byte, swap_two_texts]

# Step (or the module that does a part of it), the function that makes something, which of its results, and what is done
# to it.
MADE: list[tuple[str, str, int | None, list[Callable]]] = [
    ("extract", "extract", 0, ROWS_AND_TEXTS),  # documents
    ("extract", "extract", 1, ROWS),  # unread
    ("clean", "clean", None, ROWS_AND_SIZES),
    ("annotate", "annotate", None, ROWS_AND_TEXTS),  # it holds the hash of each text
    ("select", "select", None, ROWS_AND_SIZES),
    ("deduplicate", "verdicts", None, ROWS_AND_SIZES),
    ("compare", "own_texts", None, [of_each(mutation) for mutation in (lose_a_byte, swap_two_texts, lose_a_row)]),
    ("decontaminate", "decide_cuts", None, [of_verdicts(mutation) for mutation in ROWS_AND_SIZES]),
    ("decontaminate", "decide_cuts", None, [of_cuts(lose_a_row), of_cuts(lose_a_byte)]),
    ("repeats", "decide_cuts", None, [of_verdicts(mutation) for mutation in ROWS_AND_SIZES]),
    ("repeats", "decide_cuts", None, [of_cuts(lose_a_row), of_cuts(lose_a_byte)]),
    ("repeats", "_texts", None, [lose_a_byte, lose_a_row]),
    ("corpus", "corpus", 0, ROWS_AND_TEXTS),
    # The tokens come in the order of a hash and are put into it again: two rows that change places do no harm.
    ("shards", "tokenize", 0, [*LOSSES, lose_a_byte, swap_two_texts]),
    ("shards", "merge", None, [lose_a_token, lose_a_document_of_a_sidecar, swap_two_documents_of_a_shard]),
    ("ledger", "ledger_of_shard", None, ROWS),
]


PART_OF = {"compare": "deduplicate"}


@pytest.mark.parametrize(
    ("step", "function", "result", "mutation"),
    [
        pytest.param(step, function, result, mutation, id=f"{step}-{function}{result or ''}-{mutation.__name__}")
        for step, function, result, mutations in MADE
        for mutation in mutations
    ],
)
def test_a_step_that_does_not_make_what_it_should_fails(go_on_from, monkeypatch, step, function, result, mutation):
    module = importlib.import_module(f"jobs.steps.{step}")
    real = getattr(module, function)

    def broken(*arguments, **named):
        made = real(*arguments, **named)
        if result is None:
            return mutation(made)
        return (*made[:result], mutation(made[result]), *made[result + 1 :])

    monkeypatch.setattr(module, function, broken)
    with pytest.raises((ConservationError, CorruptDataError)):
        go_on_from(PART_OF.get(step, step))


# Step, what it reads and of which step, and what is done to it on the way.
READ: list[tuple[str, str, str, list[Callable]]] = [
    ("clean", "extract", "documents", ROWS_AND_TEXTS),
    ("annotate", "extract", "documents", ROWS_AND_TEXTS),
    ("annotate", "clean", "edits", ROWS_AND_TEXTS),
    ("select", "annotate", "attributes", ROWS_AND_SIZES),
    ("deduplicate", "annotate", "attributes", [*ROWS, lose_a_byte]),
    ("deduplicate", "select", "verdicts", ROWS),
    ("corpus", "extract", "documents", ROWS_AND_TEXTS),
    ("corpus", "clean", "edits", ROWS_AND_TEXTS),
    ("corpus", "annotate", "attributes", [*ROWS, swap_two_texts]),
    # It takes verdicts for a set: their order does no harm.
    ("corpus", "repeats", "verdicts", [*LOSSES, lose_a_byte]),
    ("corpus", "repeats", "cuts", [*LOSSES, lose_a_byte]),
    ("corpus", "decontaminate", "cuts", [*LOSSES, lose_a_byte]),
    ("decontaminate", "extract", "documents", ROWS_AND_TEXTS),
    ("decontaminate", "clean", "edits", ROWS_AND_TEXTS),
    # It takes them for a set, of which it wants the hashes of texts: neither order nor a row too many does harm.
    (
        "decontaminate",
        "annotate",
        "attributes",
        [lose_a_row, lose_all_rows, put_a_row_in_the_place_of_another, swap_two_texts],
    ),
    ("decontaminate", "deduplicate", "verdicts", [*ROWS, lose_a_byte]),
    ("repeats", "decontaminate", "verdicts", [*ROWS, lose_a_byte]),
    ("repeats", "decontaminate", "cuts", [*LOSSES, lose_a_byte]),
    # It brings documents into the order of a hash, whatever order they come in.
    ("shards", "corpus", "corpus", [*LOSSES, lose_a_byte, swap_two_texts]),
    ("ledger", "extract", "unread", LOSSES),
    ("ledger", "corpus", "corpus", LOSSES),
]


@pytest.mark.parametrize(
    ("step", "parent", "table", "mutation"),
    [
        pytest.param(step, parent, table, mutation, id=f"{step}-{parent}.{table}-{mutation.__name__}")
        for step, parent, table, mutations in READ
        for mutation in mutations
    ],
)
def test_a_step_that_does_not_read_what_was_made_fails(go_on_from, monkeypatch, step, parent, table, mutation):
    real_unit, real_read = Unit.__init__, Artifact.read_table
    doing: list[str] = []

    def begin(unit, task):
        doing[:] = [task.kind]
        real_unit(unit, task)

    def broken(artifact, name, unit, columns=None):
        read = real_read(artifact, name, unit, columns)
        return mutation(read) if (*doing, artifact.kind, name) == (step, parent, table) else read

    monkeypatch.setattr(Unit, "__init__", begin)
    monkeypatch.setattr(Artifact, "read_table", broken)
    with pytest.raises((ConservationError, CorruptDataError)):
        go_on_from(step)


@pytest.mark.parametrize(
    ("step", "table"),
    [
        ("deduplicate", "bands"),
        ("deduplicate", "candidates"),
        ("deduplicate", "gather"),
        ("deduplicate", "texts_pairs"),
        ("deduplicate", "texts"),
        ("deduplicate", "verified"),
        ("deduplicate", "components"),
        ("deduplicate", "members"),
        ("deduplicate", "edges"),
        ("deduplicate", "losers"),
        ("deduplicate", "plants"),
        ("deduplicate", "plant_bands"),
        ("deduplicate", "plant_pairs"),
        ("deduplicate", "plant_results"),
        ("decontaminate", "hits"),
        ("decontaminate", "counts"),
        ("decontaminate", "plants"),
        ("repeats", "signs"),
        ("repeats", "again"),
        ("repeats", "places"),
        ("repeats", "later"),
        ("shards", "tokenized"),
        ("ledger", "urls"),
    ],
)
def test_a_row_that_is_lost_between_two_phases_of_a_step_is_missed(go_on_from, monkeypatch, step, table):
    lose_the_first_row(monkeypatch, table)
    with pytest.raises((ConservationError, CorruptDataError)):
        go_on_from(step)
