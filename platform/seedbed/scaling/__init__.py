"""What a run costs before it starts, in pure Python: counted from its configuration, never measured.

    ModelConfig --parameters--> counts --flops--> FLOPs a token --time_and_money--> hours, device hours, money
                     |-> memory (bytes of a rank)       hardware.toml --hardware--^
                     |-> checkpoint (bytes saved)
                     |-> laws (laws.toml) --> predicted loss

Reading order: parameters.py, flops.py, memory.py, checkpoint.py, hardware.py, time_and_money.py, laws.py. What cannot
be known is None beside the reason, never a guess. Symbols in comments: V vocabulary, S sequence, D width, L layers.
"""

from seedbed.scaling.checkpoint import CheckpointSize, checkpoint_size
from seedbed.scaling.flops import flops_per_token, model_flops_per_token
from seedbed.scaling.memory import RankMemory, memory_by_role, memory_per_rank
from seedbed.scaling.parameters import ParameterCounts, matmul_parameters, parameter_counts

__all__ = [
    "CheckpointSize",
    "ParameterCounts",
    "RankMemory",
    "checkpoint_size",
    "flops_per_token",
    "matmul_parameters",
    "memory_by_role",
    "memory_per_rank",
    "model_flops_per_token",
    "parameter_counts",
]
