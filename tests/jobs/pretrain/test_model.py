import math

import pytest
import torch

from jobs.pretrain.model import GPT, IGNORED, build_blocks, next_token_loss
from seedbed.runfile.model import ModelConfig

CONFIG = ModelConfig(num_layers=8, width=64, num_heads=4, sequence_length=12, vocab_size=500)


@pytest.fixture
def model():
    return GPT(CONFIG, seed=0)


@pytest.fixture
def tokens_BT():
    return torch.randint(0, 500, (3, 12), generator=torch.Generator().manual_seed(1))


def test_the_blocks_one_by_one_are_the_model(model, tokens_BT):
    x = tokens_BT
    for block in model.blocks:
        x = block(x)
        assert isinstance(x, torch.Tensor)
    assert torch.equal(x, model(tokens_BT))
    assert x.shape == (3, 12, 500)
    assert len(model.blocks) == 12  # token and position embedding, 8 layers, norm, projection


def test_a_later_token_changes_nothing_before_it(model, tokens_BT):
    changed = tokens_BT.clone()
    changed[:, 7] = (changed[:, 7] + 1) % 500
    before, after = model(tokens_BT), model(changed)
    assert torch.allclose(before[:, :7], after[:, :7], atol=1e-6)
    assert not torch.allclose(before[:, 7], after[:, 7], atol=1e-3)


def test_a_shorter_sequence_gives_the_same_logits(model, tokens_BT):
    assert torch.allclose(model(tokens_BT)[:, :5], model(tokens_BT[:, :5]), atol=1e-5)


def test_initial_weights_are_gpt2s():
    _, _, layer, *_ = build_blocks(CONFIG, seed=0)
    assert layer.mlp_input.weight.std().item() == pytest.approx(0.02, rel=0.03)
    # those that write into the residual stream: 0.02 / sqrt(2 x 8) = 0.005
    assert layer.mlp_output.weight.std().item() == pytest.approx(0.005, rel=0.03)
    assert layer.attention.output.weight.std().item() == pytest.approx(0.005, rel=0.05)
    assert not layer.mlp_input.bias.any()


@pytest.mark.parametrize("tied", [True, False])
def test_embeddings_are_tied_where_asked(tied):
    blocks = list(build_blocks(CONFIG.model_copy(update={"tied_embeddings": tied}), seed=0))
    assert (blocks[-1].weight is blocks[0].weight) is tied


def test_blocks_have_weights_of_their_own_whatever_was_drawn_before():
    torch.manual_seed(1)
    left = GPT(CONFIG, seed=3)
    torch.manual_seed(2)
    right = GPT(CONFIG, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(left.parameters(), right.parameters(), strict=True))
    assert not torch.equal(left.blocks[2].mlp_input.weight, left.blocks[3].mlp_input.weight)
    # seeds that follow each other share no block, at no place
    drawn = {block.mlp_input.weight[0, 0].item() for seed in (3, 4) for block in GPT(CONFIG, seed).blocks[2:-2]}
    assert len(drawn) == 16


def test_an_untrained_model_knows_nothing(model, tokens_BT):
    loss = next_token_loss(model(tokens_BT[:, :-1]), tokens_BT[:, 1:])
    assert loss.item() == pytest.approx(math.log(500), abs=0.1)


def test_the_loss_is_taken_in_fp32():
    # Of logits 0 and 10 in bf16: log(1 + e^-10) = 4.54e-5, which bf16 arithmetic would round to 0
    logits = torch.tensor([[[0.0, 10.0]]], dtype=torch.bfloat16)
    assert next_token_loss(logits, torch.tensor([[1]])).item() == pytest.approx(4.54e-5, rel=1e-3)


def test_ignored_targets_take_no_part():
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1, 2, 3], [IGNORED] * 3])
    alone = next_token_loss(logits[:1], targets[:1], reduction="sum")
    assert next_token_loss(logits, targets, reduction="sum").item() == pytest.approx(alone.item())
    assert next_token_loss(logits[1:], targets[1:], reduction="sum").item() == 0


def test_checkpointed_activations_give_the_same_gradients(tokens_BT):
    gradients = []
    for activation_checkpointing in (False, True):
        model = GPT(CONFIG.model_copy(update={"dropout": 0.2}), 0, activation_checkpointing)
        torch.manual_seed(1)
        next_token_loss(model(tokens_BT), tokens_BT).backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    assert all(torch.equal(left, right) for left, right in zip(*gradients, strict=True))
