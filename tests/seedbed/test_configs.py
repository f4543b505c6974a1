"""Every configuration that is shipped."""

from pathlib import Path

import pytest

from seedbed.runfile.data import DataConfig
from seedbed.runfile.load import PIECES, load_run
from seedbed.runfile.run import RunConfig
from seedbed.runfile.yaml_tree import read_tree
from seedbed.sources import list_sources

CONFIGS = Path(__file__).parents[2] / "configs"
FOLDERS = {"data": "data", "models": "model", "training": "training", "clusters": "cluster"}


def test_every_folder_of_pieces_is_known():
    assert set(FOLDERS.values()) == set(PIECES)
    assert all((CONFIGS / folder).is_dir() for folder in FOLDERS)


@pytest.mark.parametrize("path", sorted((CONFIGS / "runs").glob("*.yaml")), ids=lambda path: path.name)
def test_a_shipped_run_loads_and_its_sources_are_there(path):
    run = load_run(path)
    assert run.name == path.stem
    assert list_sources(run.data).files


@pytest.mark.parametrize(
    ("path", "piece"),
    [(path, piece) for folder, piece in FOLDERS.items() for path in sorted((CONFIGS / folder).glob("*.yaml"))],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_shipped_piece_is_valid_in_itself(path, piece):
    tree = read_tree(path, path.name)
    assert tree.problems == []
    model = RunConfig.model_fields[piece].annotation
    made = model.model_validate(tree.value)
    assert not isinstance(made, DataConfig) or made.sources
