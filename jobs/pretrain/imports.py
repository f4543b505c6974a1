"""A rank's imports, without two that DeepSpeed makes and nobody here uses: 1.6 of the 4.8 s that its start took a core.

- MLflow, which its autotuner imports where it can.
- torch's Inductor, as it has its Muon optimizer compiled when it looks whether an optimizer is that one.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterator


def load_deepspeed() -> None:
    """Import it; `DS_ACCELERATOR` is to be set before."""
    with _as_if_not_installed("mlflow"):
        importlib.import_module("deepspeed")
    with _nothing_compiled():
        importlib.import_module("deepspeed.runtime.zero.muon.original_muon")


@contextlib.contextmanager
def _as_if_not_installed(name: str) -> Iterator[None]:
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # as the import system says that there is none
    try:
        yield
    finally:
        del sys.modules[name]


@contextlib.contextmanager
def _nothing_compiled() -> Iterator[None]:
    """DeepSpeed's decorator for what is to be compiled leaves it as it is."""
    from deepspeed.runtime import compiler

    compiled = compiler.compile
    compiler.compile = lambda: compiler.dummy_decorator
    try:
        yield
    finally:
        compiler.compile = compiled
