"""Is the controller heard? Asked by those who read the registry: what they show is as old as its last word."""

import time
from typing import TYPE_CHECKING

from seedbed.controller.alarm_rules import CONTROLLER_SILENT
from seedbed.controller.lead import NAME, is_dead_here
from seedbed.registry.states import Level

if TYPE_CHECKING:
    from seedbed.registry.registry import Registry

SILENT_AFTER_S = 30.0
"""It reports each 5 s."""


def check_controller(registry: "Registry", actor: str) -> str | None:
    """What to tell of a controller that is silent, None of one that is heard; raises the alarm and clears it."""
    clusters = registry.clusters()
    if not clusters:
        return None
    holder = registry.leader(NAME)
    if holder is not None and is_dead_here(holder):
        return _alarmed(registry, "the controller's process on this machine is gone", actor)
    at = max((float(cluster.controller.get("at", 0.0)) for cluster in clusters), default=0.0)
    age = time.time() - at
    if age < SILENT_AFTER_S:
        registry.clear_alarm(CONTROLLER_SILENT, "controller", "registry", reason="it is heard again", actor=actor)
        return None
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    heard = f"was last heard at {since}" if at else "has never been heard"
    return _alarmed(registry, f"the controller {heard}", actor)


def _alarmed(registry: "Registry", what: str, actor: str) -> str:
    message = f"{what}: nothing is started and no state is brought up to date until `seedbed cluster up`"
    registry.raise_alarm(
        CONTROLLER_SILENT, "controller", "registry", level=Level.CRITICAL, message=message, actor=actor
    )
    return message
