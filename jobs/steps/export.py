"""`export`: the model as others load it (Hugging Face format), with a model card and a datasheet."""

import json
import tempfile
from pathlib import Path

from safetensors.torch import load as load_safetensors

from jobs.export import export_huggingface
from jobs.step_run import StepRun
from seedbed.artifact import Report
from seedbed.datasheet import datasheet, datasheet_markdown, model_card
from seedbed.exported import FOLDER
from seedbed.runfile.model import ModelConfig


def run(step: StepRun) -> None:
    """Write the folder `model/` of the artifact. A few files: done by the driver itself."""
    pretrain = step.parents["pretrain"]
    manifest = pretrain.committed()
    weights = load_safetensors(pretrain.store.read(f"{pretrain.path}/model.safetensors"))
    config = ModelConfig.model_validate(manifest["config"]["model"])
    tokenizer = step.parents["tokenizer"]
    with tempfile.TemporaryDirectory(dir=step.state.folder("staging")) as folder:
        source = Path(folder) / "tokenizer.json"
        source.write_bytes(tokenizer.store.read(f"{tokenizer.path}/tokenizer.json"))
        out = Path(folder) / FOLDER
        export_huggingface(weights, config, source, out)
        facts = datasheet(step.artifact.store, step.plan)
        (out / "datasheet.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (out / "DATASHEET.md").write_text(datasheet_markdown(facts), encoding="utf-8")
        (out / "README.md").write_text(model_card(facts), encoding="utf-8")
        for path in sorted(out.iterdir()):
            step.write_file(f"{FOLDER}/{path.name}", path.read_bytes())
    step.commit(Report())
