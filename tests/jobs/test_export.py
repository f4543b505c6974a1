import json

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from jobs.export import export_huggingface
from jobs.pretrain.model import GPT
from seedbed.errors import UsageError
from seedbed.runfile.model import ModelConfig

TEXT = "the quick brown fox jumps over the lazy dog; naïve café\n  two  spaces"


@pytest.fixture
def tokenizer_path(tmp_path):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=280, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def saved_weights(model):
    return {name: parameter.detach() for name, parameter in model.named_parameters()}  # a tied weight once


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"tied_embeddings": False, "mlp_ratio": 2}], ids=["tied", "untied"])
def test_transformers_opens_it_and_gives_the_same_logits(tokenizer_path, tmp_path, changes):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = {"num_layers": 3, "width": 48, "num_heads": 4, "sequence_length": 64, "vocab_size": 320}
    config = ModelConfig(**base | changes)
    torch.manual_seed(0)
    model = GPT(config).eval()
    for parameter in model.parameters():  # biases and norms too, or a swapped one would not show
        torch.nn.init.normal_(parameter, std=0.2)
    export_huggingface(saved_weights(model), config, tokenizer_path, tmp_path / "out")

    opened = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = tokenizer(TEXT, return_tensors="pt").input_ids
    assert ids[0].tolist() == Tokenizer.from_file(str(tokenizer_path)).encode(TEXT).ids
    assert tokenizer.decode(ids[0]) == TEXT
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<|endoftext|>", "<|endoftext|>")
    assert opened.config.eos_token_id == opened.generation_config.eos_token_id == tokenizer.eos_token_id == 0
    with torch.no_grad():
        torch.testing.assert_close(opened.eval()(ids).logits, model(ids), atol=1e-5, rtol=0)


def test_a_tokenizer_without_the_end_of_document_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps({"added_tokens": []}))
    config = ModelConfig(num_layers=1, width=8, num_heads=1, sequence_length=8, vocab_size=300)
    with pytest.raises(UsageError, match=r"no token <\|endoftext\|>"):
        export_huggingface({}, config, tmp_path / "tokenizer.json", tmp_path / "out")
