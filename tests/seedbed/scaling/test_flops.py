from pathlib import Path

import pytest

from seedbed.runfile.model import ModelConfig
from seedbed.runfile.yaml_tree import read_tree
from seedbed.scaling import flops_per_token, model_flops_per_token

MODELS = sorted((Path(__file__).parents[3] / "configs" / "models").glob("*.yaml"))


def test_flops_count_matrices_and_half_of_the_attention(tiny):
    # N = 2 x 12 x 8^2 + 300 x 8 = 3,936; attention 12 L D S / 2 = 12 x 2 x 8 x 16 / 2 = 1,536
    assert model_flops_per_token(tiny) == 6 * 3936 + 1536
    assert flops_per_token(tiny) == 6 * 3936 + 1536


def test_checkpointing_adds_the_forward_of_the_blocks_but_for_their_last_matrices(tiny):
    # 2 x 1,536 weights in the blocks + 4 L D S / 2 = 512, less 2 x 2 x 32 x 8 of the last matrices; not the head
    assert flops_per_token(tiny, activation_checkpointing=True) == 6 * 3936 + 1536 + 2 * 1536 + 512 - 1024


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_the_flops_of_a_shipped_model_are_those_that_torch_counts(path, checkpointing):
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from jobs.pretrain.model import GPT, next_token_loss

    config = ModelConfig.model_validate(read_tree(path, path.name).value)
    # Tensors without content: the large models take neither memory nor time. Plain matrices, as a fused kernel of this
    # machine may be one that the counter does not know.
    with torch.device("meta"), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        tokens_BT = torch.zeros(1, config.sequence_length, dtype=torch.long)
        model = GPT(config, recompute=checkpointing).train()
        next_token_loss(model(tokens_BT), tokens_BT).backward()
    # The counter takes a causal token to see the whole sequence. That half which is not ours: 2 L D S forward.
    forwards = 4 if checkpointing else 3
    unseen = forwards * 2 * config.num_layers * config.width * config.sequence_length
    counted = counter.get_total_flops() / config.sequence_length - unseen
    assert flops_per_token(config, checkpointing) == pytest.approx(counted, rel=0.02)
