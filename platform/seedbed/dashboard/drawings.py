"""Where things go in the pictures that the server draws: the graph of steps, the funnel, sparklines. Pure; templates
turn it into SVG, whose attributes a strict content security policy allows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seedbed.survey import Distribution

NODE_WIDTH, NODE_HEIGHT = 168, 78
GAP_X, GAP_Y, GAP_ROWS = 34, 14, 34
MARGIN = 18
"""Room at the left, where arrows from the row above come in."""
COLUMNS = 6
"""Layers in a row: twelve steps in two rows fit a laptop's screen at full size."""


@dataclass(frozen=True)
class Node:
    """A box of the graph; `x`, `y` are its upper left corner."""

    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Graph:
    """Boxes, and the paths of the arrows between them."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    arrows: tuple[tuple[str, str, str], ...]  # from, to, SVG path


def graph(parents: dict[str, Sequence[str]]) -> Graph:
    """Layers from left to right by the longest way from a source, wrapped into rows of COLUMNS.

    An arrow that a longer way says already is left out. `parents` names each step after what it depends on.
    """
    direct = _without_shortcuts(parents)
    depth: dict[str, int] = {}
    for name in parents:
        depth[name] = max((depth[parent] + 1 for parent in parents[name]), default=0)
    layers: dict[int, list[str]] = {}
    for name in parents:
        layers.setdefault(depth[name], []).append(name)
    # Of a layer, what leads on stands at the top, on the line of the others.
    leads_on = {parent for ways in direct.values() for parent in ways}
    for names in layers.values():
        names.sort(key=lambda name: name not in leads_on)
    nodes: dict[str, Node] = {}
    top = 0
    for start in range(0, len(layers), COLUMNS):
        row = [layers[d] for d in range(start, min(start + COLUMNS, len(layers)))]
        for column, names in enumerate(row):
            for lane, name in enumerate(names):
                nodes[name] = Node(name, MARGIN + column * (NODE_WIDTH + GAP_X), top + lane * (NODE_HEIGHT + GAP_Y))
        top += max(map(len, row)) * (NODE_HEIGHT + GAP_Y) - GAP_Y + GAP_ROWS
    arrows = [
        (parent, name, _arrow(nodes[parent], nodes[name], depth[parent] // COLUMNS != depth[name] // COLUMNS))
        for name in parents
        for parent in direct[name]
    ]
    width = MARGIN + min(len(layers), COLUMNS) * (NODE_WIDTH + GAP_X) - GAP_X
    return Graph(width, top - GAP_ROWS, tuple(nodes.values()), tuple(arrows))


def _without_shortcuts(parents: dict[str, Sequence[str]]) -> dict[str, list[str]]:
    ancestors: dict[str, set[str]] = {}
    for name, ways in parents.items():
        ancestors[name] = set(ways).union(*(ancestors[way] for way in ways)) if ways else set()
    return {
        name: [way for way in ways if not any(way in ancestors[other] for other in ways if other != way)]
        for name, ways in parents.items()
    }


def _arrow(start: Node, end: Node, is_next_row: bool) -> str:
    x1, y1 = start.x + NODE_WIDTH, start.y + NODE_HEIGHT // 2
    x2, y2 = end.x, end.y + NODE_HEIGHT // 2
    if is_next_row:  # down behind the row, back to the left, then in
        between = start.y + NODE_HEIGHT + GAP_ROWS // 2
        return f"M{start.x + NODE_WIDTH // 2} {start.y + NODE_HEIGHT}V{between}H{x2 - MARGIN + 4}V{y2}H{x2 - 2}"
    if y1 > y2 and x2 - x1 > GAP_X:  # from a lane below, under the boxes between
        return f"M{x1} {y1}H{x2 + NODE_WIDTH // 2}V{end.y + NODE_HEIGHT + 2}"
    return f"M{x1} {y1}H{x1 + GAP_X // 2}V{y2}H{x2 - 2}"


@dataclass(frozen=True)
class FunnelPart:
    """A piece of a funnel's bar: what was kept (no reason), or what went for a reason. Shares are of the first bar."""

    reason: str | None
    records: int
    start: float
    width: float


@dataclass(frozen=True)
class FunnelBar:
    """One step of the funnel."""

    step: str
    records_in: int
    records_out: int
    parts: tuple[FunnelPart, ...]


def funnel(steps: Sequence[dict[str, Any]], kinds: Sequence[str]) -> list[FunnelBar]:
    """A bar for each of `kinds` that is done, in order, as far as there is no hole; see `seedbed.show.step_summary`."""
    done = {step["kind"]: step for step in steps if step["records_in"] is not None}
    bars: list[FunnelBar] = []
    whole = max((done[kinds[0]]["records_in"] if kinds[0] in done else 0), 1)
    for kind in kinds:
        if kind not in done:
            break
        step = done[kind]
        pieces = [(None, step["records_out"]), *sorted(step["dropped"].items(), key=lambda item: (-item[1], item[0]))]
        parts, start = [], 0.0
        for reason, records in pieces:
            parts.append(FunnelPart(reason, records, start, records / whole))
            start += records / whole
        bars.append(FunnelBar(kind, step["records_in"], step["records_out"], tuple(parts)))
    return bars


def sparkline(points: Sequence[tuple[float, float]], width: float, height: float) -> str:
    """The `points` attribute of an SVG polyline; empty for fewer than two points."""
    if len(points) < 2:
        return ""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    span_x, span_y = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    return " ".join(
        f"{(x - min(xs)) / span_x * width:.1f},{height - (y - min(ys)) / span_y * height:.1f}" for x, y in points
    )


@dataclass(frozen=True)
class Bin:
    """A bar of a histogram, from below: what passes stands on what fails."""

    x: float
    width: float
    passed: float
    failed: float


@dataclass(frozen=True)
class Histogram:
    """Bars, and where the threshold stands, in a box of the given size."""

    bins: tuple[Bin, ...]
    threshold_x: float


def histogram(distribution: Distribution, width: float, height: float) -> Histogram:
    """The bars of a distribution; a logarithmic one has bins of equal width as well."""
    highest = max(map(sum, zip(distribution.passed, distribution.failed, strict=True)), default=0) or 1
    number = len(distribution.passed)
    step = width / number
    bins = tuple(
        Bin(round(at * step, 2), round(step * 0.9, 2), height * passed / highest, height * failed / highest)
        for at, (passed, failed) in enumerate(zip(distribution.passed, distribution.failed, strict=True))
    )
    scale = math.log1p if distribution.is_logarithmic else float
    low, high = scale(distribution.edges[0]), scale(distribution.edges[-1])
    return Histogram(bins, (scale(distribution.threshold) - low) / (high - low) * width)
