"""What a comparison came to."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One number that was compared."""

    what: str
    step: int  # counted from 1
    error: float  # relative
    limit: float

    @property
    def passed(self) -> bool:
        return self.error <= self.limit  # no number is no pass


@dataclass(frozen=True)
class CaseResult:
    """What a case came to: of each kind of check the one that is nearest to its limit, or furthest beyond."""

    case: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        checks = [asdict(check) | {"passed": check.passed} for check in self.checks]
        return {"case": self.case, "passed": self.passed, "checks": checks}
