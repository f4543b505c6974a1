"""The trained model as a folder that Hugging Face's `transformers` opens (`GPT2LMHeadModel`)."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from jobs.pretrain.model import LAYER_NORM_EPSILON
from seedbed.errors import UsageError
from seedbed.runfile.model import ModelConfig

END_OF_DOCUMENT = "<|endoftext|>"

# Our module inside a transformer block -> GPT-2's inside `transformer.h.<layer>`.
_BLOCK_MODULES = {
    "attention_norm": "ln_1",
    "attention.query_key_value": "attn.c_attn",
    "attention.output": "attn.c_proj",
    "mlp_norm": "ln_2",
    "mlp_input": "mlp.c_fc",
    "mlp_output": "mlp.c_proj",
}


def export_huggingface(
    weights: Mapping[str, Tensor], model: ModelConfig, tokenizer_json_path: Path, out_dir: Path
) -> None:
    """Write weights (names of `jobs.pretrain.model.GPT`, fp32), configuration and tokenizer into `out_dir`.

    Rows of the embedding beyond the tokenizer's vocabulary stay. Raises UsageError when the tokenizer has no
    `<|endoftext|>`, which is both bos and eos.
    """
    end_of_document = _end_of_document_id(tokenizer_json_path)
    out_dir.mkdir(parents=True, exist_ok=True)
    save_file(_gpt2_weights(weights, model), out_dir / "model.safetensors", metadata={"format": "pt"})
    (out_dir / "model.safetensors").chmod(0o644)  # safetensors makes it 0600, unlike the files beside it
    ids = {"bos_token_id": end_of_document, "eos_token_id": end_of_document}
    _write_json(out_dir / "config.json", _gpt2_config(model) | ids)
    _write_json(out_dir / "generation_config.json", ids)
    shutil.copyfile(tokenizer_json_path, out_dir / "tokenizer.json")
    special = {"bos_token": END_OF_DOCUMENT, "eos_token": END_OF_DOCUMENT, "unk_token": END_OF_DOCUMENT}
    tokenizer: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model.sequence_length,
        "clean_up_tokenization_spaces": False,  # it would change the text that comes back
    }
    _write_json(out_dir / "tokenizer_config.json", tokenizer | special)
    _write_json(out_dir / "special_tokens_map.json", special)


def _gpt2_weights(weights: Mapping[str, Tensor], model: ModelConfig) -> dict[str, Tensor]:
    """The weights under GPT-2's names. Its `Conv1D` keeps matrices as [in, out], torch's Linear as [out, in]."""
    after = model.num_layers + 2  # the block after the last layer
    renamed = {
        "transformer.wte.weight": weights["blocks.0.weight"],
        "transformer.wpe.weight": weights["blocks.1.weight"],
        "transformer.ln_f.weight": weights[f"blocks.{after}.weight"],
        "transformer.ln_f.bias": weights[f"blocks.{after}.bias"],
    }
    if not model.tied_embeddings:
        renamed["lm_head.weight"] = weights[f"blocks.{after + 1}.weight"]
    for layer in range(model.num_layers):
        for ours, theirs in _BLOCK_MODULES.items():
            for kind in ("weight", "bias"):
                tensor = weights[f"blocks.{layer + 2}.{ours}.{kind}"]
                renamed[f"transformer.h.{layer}.{theirs}.{kind}"] = tensor.T if tensor.dim() == 2 else tensor
    return {name: tensor.detach().float().contiguous() for name, tensor in renamed.items()}


def _gpt2_config(model: ModelConfig) -> dict[str, Any]:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": model.vocab_size,
        "n_positions": model.sequence_length,
        "n_embd": model.width,
        "n_layer": model.num_layers,
        "n_head": model.num_heads,
        "n_inner": model.mlp_ratio * model.width,
        "activation_function": "gelu_new",  # the tanh approximation
        "layer_norm_epsilon": LAYER_NORM_EPSILON,
        "resid_pdrop": model.dropout,
        "embd_pdrop": model.dropout,
        "attn_pdrop": model.dropout,
        "initializer_range": model.initializer_std,
        "tie_word_embeddings": model.tied_embeddings,
        "torch_dtype": "float32",
    }


def _end_of_document_id(tokenizer_json_path: Path) -> int:
    tokenizer = json.loads(tokenizer_json_path.read_text(encoding="utf-8"))
    for token in tokenizer.get("added_tokens", []):
        if token["content"] == END_OF_DOCUMENT:
            return int(token["id"])
    raise UsageError(f"{tokenizer_json_path}: it has no token {END_OF_DOCUMENT}; train it with one")


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
