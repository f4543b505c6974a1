"""Filters and measures that other installed packages bring, by entry points in their metadata.

    [project.entry-points."seedbed.filters"]
    exclamations = "shouting:ExclamationsConfig"

The entry point names a pydantic config, frozen, that forbids unknown keys. A filter's config is a
`dataprep.filters.contract.Filter`, a measure's a `dataprep.measures.contract.Measure`. A run file asks for them under
`others`; what it does not name is not imported.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

FILTERS_GROUP = "seedbed.filters"
MEASURES_GROUP = "seedbed.measures"


def read_configs(group: str, given: Any) -> Any:
    """The configs of the plugins that are named, from what a run file says of each: a validator of pydantic's.

    Raises ValueError for a name that no installed package brings, or that several do; ValidationError where a config
    refuses what is said.
    """
    if not isinstance(given, dict):
        return given  # for pydantic to refuse
    return {name: _read(group, name, value) for name, value in sorted(given.items())}


def software(group: str, names: Iterable[str]) -> dict[str, str]:
    """What brings each plugin: `group:name` -> distribution and version, which decide what it does."""
    found = {}
    for name in sorted(names):
        distribution = _entry_point(group, name).dist
        assert distribution is not None, "entry points that are looked up have a distribution"
        found[f"{group}:{name}"] = f"{distribution.name} {distribution.version}"
    return found


def _read(group: str, name: str, value: Any) -> BaseModel:
    config = _load(_entry_point(group, name))
    if isinstance(value, config):
        return value
    try:
        return config.model_validate({} if value is None else value)
    except ValidationError as error:
        details = [_within(name, problem, config) for problem in error.errors()]
        raise ValidationError.from_exception_data(error.title, details) from error


def _within(name: str, problem: Any, config: type[BaseModel]) -> InitErrorDetails:
    """A problem of a plugin's config as one of the mapping that holds it."""
    if problem["type"] == "extra_forbidden":
        message = f"unknown key; {name} knows: {', '.join(config.model_fields) or 'none'}"
    elif problem["type"] == "value_error":
        message = str(problem["ctx"]["error"])
    else:
        message = problem["msg"]
    kind = PydanticCustomError("value_error", "{error}", {"error": message})
    return InitErrorDetails(type=kind, loc=(name, *problem["loc"]), input=problem["input"])


def _entry_point(group: str, name: str) -> EntryPoint:
    every = entry_points(group=group)
    found = [point for point in every if point.name == name]
    if not found:
        known = ", ".join(sorted(point.name for point in every)) or "none"
        raise ValueError(f"no installed package brings `{name}` ({group}); known here: {known}")
    if len(found) > 1:
        packages = ", ".join(sorted(point.dist.name if point.dist else "?" for point in found))
        raise ValueError(f"`{name}` ({group}) is brought by several packages, {packages}: uninstall all but one")
    return found[0]


def _load(point: EntryPoint) -> type[BaseModel]:
    try:
        config = point.load()
    except (ImportError, AttributeError) as error:
        raise ValueError(f"`{point.name}`: {point.value} cannot be imported: {error}") from error
    if not (isinstance(config, type) and issubclass(config, BaseModel)):
        raise ValueError(f"`{point.name}`: {point.value} is no pydantic model")
    if config.model_config.get("extra") != "forbid" or not config.model_config.get("frozen"):
        raise ValueError(
            f"`{point.name}`: {point.value} must be frozen and forbid unknown keys, else typing errors pass"
        )
    return config
