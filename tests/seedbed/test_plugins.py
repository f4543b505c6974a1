"""The package that docs/filters.md shows, installed beside the tests and run."""

import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from dataprep import plugins, schemas
from dataprep.annotate import AnnotateConfig, annotate
from dataprep.clean import CleanConfig, clean
from dataprep.filters.registry import FILTERS
from dataprep.kernels.minhash import MinHashConfig
from dataprep.select import SelectConfig, select
from seedbed.errors import UsageError
from seedbed.runfile.load import load_run
from seedbed.sources import list_sources
from seedbed.steps import fingerprint_steps

PAGE = (Path(__file__).parents[2] / "docs" / "filters.md").read_text()
SHOUTING_RUN = ("data.annotate.others.exclamations={}", "data.select.others.exclamations.max_per_word=0.2")


def code(language: str, number: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[number]


def install(folder: Path, version: str = "1.0", name: str = "shouting") -> None:
    """What an installer makes of the page's package: its module and its metadata."""
    project = tomllib.loads(code("toml"))["project"]
    (folder / "shouting.py").write_text(code("python"))
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = [
        "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in points.items())])
        for group, points in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")


@pytest.fixture
def shouting(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    install(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "shouting", raising=False)  # as another test left it
    return folder


def test_the_page_measures_and_drops_what_shouts(shouting):
    data = yaml.safe_load(code("yaml", -1))["data"]
    texts = ["Buy now! Buy! Now!", "Quiet words with one mark!"]
    rows = [
        {"id": bytes([i] * 16), "url": "", "offset": i, "num_payload_bytes": 0, "text": t} for i, t in enumerate(texts)
    ]
    documents = pa.Table.from_pylist(rows, schemas.DOCUMENTS)
    attributes = annotate(documents, clean(documents, CleanConfig()), AnnotateConfig.model_validate(data["annotate"]))
    assert attributes["num_exclamations"].to_pylist() == [3, 1]
    verdicts = select(attributes, SelectConfig.model_validate(data["select"]))
    assert verdicts["reason"].to_pylist() == ["too_many_exclamations", None]
    assert verdicts["value"].to_pylist() == [0.75, None]  # 3 marks over 4 words


def test_the_filters_on_the_page_are_a_run_files(shouting):
    config = SelectConfig.model_validate(yaml.safe_load(code("yaml", 0))["data"]["select"])
    shown = list(config.model_dump(exclude_none=True, exclude={"others"}))
    assert shown == [name for name in FILTERS if name in shown]  # in the order in which they are applied
    assert {"language", "gopher_repetition", "gopher_quality", "c4", "fineweb"} <= set(shown)


def test_what_a_run_keeps_of_a_plugin_reads_back_as_the_same(shouting):
    config = SelectConfig.model_validate({"others": {"exclamations": None}})
    kept = config.model_dump(mode="json")
    assert kept["others"] == {"exclamations": {"max_per_word": 0.1}}
    assert SelectConfig.model_validate(kept) == config


def test_its_keys_are_checked_where_they_stand(shouting, run_file):
    with pytest.raises(UsageError, match=r"data\.select\.others\.exclamations\.max: unknown key; .* max_per_word"):
        load_run(run_file, [*SHOUTING_RUN, "data.select.others.exclamations.max=1"])
    with pytest.raises(UsageError, match=r"data\.select\.others\.exclamations\.max_per_word: .* greater than or equal"):
        load_run(run_file, [*SHOUTING_RUN, "data.select.others.exclamations.max_per_word=-1"])


def test_a_name_that_nobody_brings_is_told_with_those_that_are(shouting, run_file):
    with pytest.raises(UsageError, match=r"data\.select\.others: .*`exclamation` .*; known here: exclamations"):
        load_run(run_file, ["data.select.others.exclamation={}"])


def test_a_name_that_two_packages_bring_is_refused(shouting, run_file):
    install(shouting, name="louder")
    with pytest.raises(UsageError, match="several packages, louder, shouting: uninstall all but one"):
        load_run(run_file, SHOUTING_RUN)


def test_a_filter_whose_measure_is_not_asked_for_is_refused_before_anything_runs(shouting, run_file):
    with pytest.raises(UsageError, match=r"select\.others\.exclamations wants a column .*num_exclamations"):
        load_run(run_file, ["data.select.others.exclamations={}"])


def test_a_filter_that_looks_at_a_column_that_is_not_given_to_filters_is_refused(shouting, run_file):
    (shouting / "shouting.py").write_text(code("python").replace('"num_exclamations"', '"minhash_bands"'))
    with pytest.raises(UsageError, match=r"select\.others\.exclamations wants a column .*minhash_bands"):
        load_run(run_file, ["data.select.others.exclamations={}"])


def with_beside(shouting: Path, beside: str) -> None:
    """The filter of the page, which now wants these columns beside the attributes, and has no measure of its own."""
    changed = code("python").replace(
        'share = ratio(attributes, "num_exclamations", "num_words")',
        """\
robots = attributes["robots"]
        share = pc.fill_null(pc.count_substring(robots, "no"), 0).to_numpy()""",
    )
    changed = changed.replace("    max_per_word: float", f"    BESIDE: ClassVar = {beside}\n\n    max_per_word: float")
    (shouting / "shouting.py").write_text(
        changed.replace("import pyarrow as pa", "from typing import ClassVar\n\nimport pyarrow as pa", 1)
    )


def test_a_filter_may_look_at_columns_beside_the_attributes(shouting, run_file):
    with_beside(shouting, '{"documents": ("robots",)}')
    run = load_run(run_file, ["data.select.others.exclamations={}"])
    assert run.data.select.columns_beside() == {"documents": ["robots"]}


@pytest.mark.parametrize("beside", ['{"documents": ("robots", "text")}', '{"ledger": ("text",)}'])
def test_texts_and_other_tables_are_not_to_be_had_beside_them(shouting, run_file, beside):
    with_beside(shouting, beside)
    with pytest.raises(UsageError, match=r"select\.others\.exclamations wants text of \w+ .* of documents: url, date,"):
        load_run(run_file, ["data.select.others.exclamations={}"])


def test_a_column_has_one_measure(shouting, run_file):
    (shouting / "shouting.py").write_text(code("python").replace('"num_exclamations"', '"num_words"'))
    with pytest.raises(UsageError, match=r"others\.exclamations: there is a column num_words already"):
        load_run(run_file, ["data.annotate.others.exclamations={}"])


@pytest.mark.parametrize(
    ("found", "replaced", "says"),
    [
        ('extra="forbid", ', "", "must be frozen and forbid unknown keys"),
        ("frozen=True, ", "", "must be frozen and forbid unknown keys"),
        ("class ExclamationsConfig(BaseModel)", "class ExclamationsConfig", "is no pydantic model"),
        ("class ExclamationsConfig", "class OfAnotherName", "cannot be imported: .*ExclamationsConfig"),
        ("import pyarrow as pa", "import pyarow as pa", "cannot be imported: No module named 'pyarow'"),
    ],
)
def test_code_that_is_no_strict_model_is_refused(shouting, run_file, found, replaced, says):
    (shouting / "shouting.py").write_text(code("python").replace(found, replaced))
    with pytest.raises(UsageError, match=says):
        load_run(run_file, SHOUTING_RUN)


def fingerprints(run_file: Path) -> dict[str, tuple[str, dict[str, str]]]:
    run = load_run(run_file, SHOUTING_RUN)
    return {step.kind: (step.fingerprint, step.software) for step in fingerprint_steps(run, list_sources(run.data))}


def test_the_package_and_its_version_are_in_the_fingerprints(shouting, run_file):
    before = fingerprints(run_file)
    assert before["annotate"][1]["seedbed.measures:exclamations"] == "shouting 1.0"
    assert before["select"][1]["seedbed.filters:exclamations"] == "shouting 1.0"
    (shouting / "shouting-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: shouting\nVersion: 1.1\n"
    )
    after = fingerprints(run_file)
    assert after["clean"] == before["clean"]
    assert after["select"][1]["seedbed.filters:exclamations"] == "shouting 1.1"
    assert after["annotate"][0] != before["annotate"][0]


def test_a_run_that_names_no_plugin_imports_none(shouting):
    (shouting / "shouting.py").write_text("raise SystemExit('imported')")
    assert plugins.software(plugins.FILTERS_GROUP, SelectConfig().others) == {}


def table_of_the_page() -> list[tuple[str, str, float | None]]:
    """Filter, reason and limit of each row of the page's table."""
    rows, name = [], ""
    for line in PAGE.split("## The published rules about text")[1].split("## What is counted")[0].splitlines():
        cells = [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        if len(cells) == 6 and cells[0] != "filter" and not cells[0].startswith("-"):
            name = cells[0] or name
            rows.append((name, cells[4], None if cells[3] == "none" else float(cells[3].split(",")[0])))
    return rows


def test_the_table_of_the_page_has_the_limits_of_the_code():
    schema = AnnotateConfig(minhash=MinHashConfig(num_bands=1)).table_schema()
    english = {"id": bytes(16), "content_hash": bytes(16), "language": "en", "minhash_bands": [0]}
    attributes = pa.Table.from_pylist([dict.fromkeys(schema.names, 0) | english], schema)
    for name in ("num_words_in_lines", "num_words_in_refinedweb_lines"):
        attributes = attributes.append_column(name, pa.array([0]))
    rules = {}
    for name in ("language", "refinedweb", "gopher_repetition", "gopher_quality", "c4", "fineweb"):
        config = FILTERS[name](keep=("en",)) if name == "language" else FILTERS[name]()
        for rule in config.rules(attributes):
            rules[name, rule.reason] = None if np.isnan(rule.usual_threshold) else rule.usual_threshold
    rows = table_of_the_page()
    shown = {(name, reason): limit for name, reason, limit in rows if name in {known for known, _ in rules}}
    assert shown == rules
    assert len(shown) == 33
