"""Kernels and intrinsics that load numba when they are first needed: by a call, or by a kernel that is compiled.

What a run file says is read from the files of the rules, which import the kernels. Loading numba and giving it some 200
functions takes 0.3 s of a core, a third of a command that plans or shows and computes nothing.
"""

from collections.abc import Callable
from functools import cached_property, partial, update_wrapper
from typing import Any, cast


class _Deferred:
    """What numba makes of a function, made when it is first looked at."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        update_wrapper(cast(Any, self), function)  # a callable in both kinds

    def __reduce__(self) -> str:
        return self._function.__qualname__  # by its name, as functions are sent to other processes

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.__module__}.{self._function.__qualname__}>"


class Kernel(_Deferred):
    """A function that numba compiles to machine code at its first call with arguments of some types, or takes from its
    cache; it runs without the interpreter's lock. Kernels may call it."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        super().__init__(function)
        self._options = options

    @cached_property
    def dispatcher(self) -> Any:
        """Numba's own, which picks the code by the types of the arguments."""
        from numba import njit

        return njit(cache=True, nogil=True, **self._options)(self._function)

    def __call__(self, *arguments: Any) -> Any:
        return self.dispatcher(*arguments)

    @property
    def py_func(self) -> Callable[..., Any]:
        """What is compiled, as Python. The name is numba's, which reads it where a kernel is put into another."""
        return self._function

    @property
    def targetoptions(self) -> dict[str, Any]:
        """Numba reads here whether a kernel is to be put into those that call it."""
        return self.dispatcher.targetoptions

    @property
    def _numba_type_(self) -> Any:
        """What numba takes this for in a kernel that calls it."""
        return self.dispatcher._numba_type_


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Makes a function a `Kernel`; `options` are those of `numba.njit`."""
    return Kernel(function, **options) if function is not None else partial(Kernel, **options)


class Intrinsic(_Deferred):
    """A function (typing context, types of arguments) that gives the signature of an instruction for kernels and what
    writes it: see `numba.extending.intrinsic`. Kernels alone can call it."""

    @cached_property
    def _numba_type_(self) -> Any:
        from numba.core.registry import cpu_target
        from numba.extending import intrinsic

        made = intrinsic(self._function)
        cpu_target.typing_context.refresh()  # the kernel that is compiled now has looked up what there was before
        return cpu_target.typing_context.resolve_value_type(made)
