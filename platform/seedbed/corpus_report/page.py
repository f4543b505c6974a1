"""The report as one HTML file: funnel, what rules measure, what the corpus is made of, samples."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dataprep.filters.opt_out import ASKED_FOR
from dataprep.removals import REASONS
from seedbed.dashboard.drawings import funnel, histogram
from seedbed.dashboard.units import FILTERS
from seedbed.datasheet import datasheet, known_limits
from seedbed.plan import Plan
from seedbed.sample import Sampled, sample
from seedbed.store import Store
from seedbed.summary import FUNNEL_STEPS
from seedbed.survey import survey

TEMPLATES = ("corpus_report", "dashboard/templates")
"""Where templates lie; what is drawn alike in the dashboard is written once, there."""
HISTOGRAM = (300, 90)  # pixels
SAMPLES_KEPT, SAMPLES_DROPPED = 5, 2
SAMPLE_CHARACTERS = 600
MAX_SAMPLE_SHARDS = 20


@dataclass(frozen=True)
class Samples:
    """Some documents that a step kept (no reason), or dropped for one."""

    step: str
    reason: str | None
    documents: int  # of which these are some
    shown: list[Sampled]

    @property
    def is_withheld(self) -> bool:
        """Whether somebody asked to have these documents left out: a report to hand on is no place for them."""
        return self.reason in (*REASONS.values(), *ASKED_FOR)


def report_page(store: Store, plan: Plan, facts: dict[str, Any]) -> str:
    """The page for `facts` (`datasheet.datasheet`). All that comes from the crawl is escaped."""
    found = survey(store, plan)
    steps = [{"kind": step["step"], **step} for step in facts["funnel"]]
    environment = Environment(
        loader=FileSystemLoader([str(files("seedbed").joinpath(where)) for where in TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment.get_template("report.html").render(
        facts=facts,
        run_id=plan.run_id,
        style=files("seedbed.dashboard").joinpath("static/seedbed.css").read_text(encoding="utf-8"),
        funnel=funnel(steps, FUNNEL_STEPS),
        survey=found,
        histograms=[(one, histogram(one, *HISTOGRAM)) for one in found.distributions],
        size=HISTOGRAM,
        limits=known_limits(facts),
        samples=list(_samples(store, plan, facts)),
        most=SAMPLE_CHARACTERS,
    )


def make(store: Store, plan: Plan) -> tuple[dict[str, Any], str]:
    """The facts and the page. Raises UsageError before there is a corpus."""
    facts = datasheet(store, plan)
    return facts, report_page(store, plan, facts)


def _samples(store: Store, plan: Plan, facts: dict[str, Any]) -> Iterator[Samples]:
    kept = facts["funnel"][-1]["records_out"]
    yield Samples("corpus", None, kept, sample(store, plan, "corpus", None, SAMPLES_KEPT, 0, MAX_SAMPLE_SHARDS))
    for step in facts["funnel"]:
        for reason, number in sorted(step["dropped"].items(), key=lambda item: (-item[1], item[0])):
            some = Samples(step["step"], reason, number, [])
            yield some if some.is_withheld else replace(some, shown=_dropped(store, plan, step["step"], reason))


def _dropped(store: Store, plan: Plan, step: str, reason: str) -> list[Sampled]:
    return sample(store, plan, step, reason, SAMPLES_DROPPED, 0, MAX_SAMPLE_SHARDS)
