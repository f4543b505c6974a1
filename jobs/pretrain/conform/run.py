"""The comparison of many cases in one group of processes, as starting a group costs more than a case."""

import gc
from collections.abc import Sequence

import torch
import torch.distributed as dist

from jobs.pretrain.conform.case import Case
from jobs.pretrain.conform.compare import compare
from jobs.pretrain.conform.layout import Mutate, layout_trace
from jobs.pretrain.conform.plain import plain_trace
from jobs.pretrain.conform.result import CaseResult
from jobs.pretrain.conform.trace import Tensors
from jobs.pretrain.model import GPT


def conform(cases: Sequence[Case], device: str = "cpu", mutate: Mutate | None = None) -> list[CaseResult]:
    """Compare each case's layout with one process. All ranks call it together; rank 0 has the answer."""
    results = []
    for case in cases:
        layout = layout_trace(case, mutate)
        if dist.get_rank() == 0:
            on = torch.device(device)
            reference = plain_trace(case, "fp32", on)
            precision = case.training.precision
            plain = reference if precision == "fp32" else plain_trace(case, precision, on)
            results.append(compare(case, layout, reference, plain, _initial(case)))
        dist.barrier()
        if case is cases[0]:
            gc.collect()
            gc.freeze()  # all modules are loaded by now; what collects after each engine need not look through them
    return results


def _initial(case: Case) -> Tensors:
    """The weights before the first step."""
    return {name: p.detach().clone() for name, p in GPT(case.model, case.training.seed).named_parameters()}
