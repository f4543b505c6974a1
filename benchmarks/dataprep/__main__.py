"""`python -m benchmarks.dataprep`: see README.md beside this."""

from pathlib import Path

from benchmarks.contest.command import carry_out, parser
from benchmarks.dataprep.cases import CASES

RESULTS = Path(__file__).with_name("results") / "latest.json"

if __name__ == "__main__":
    carry_out(parser("python -m benchmarks.dataprep", str(__doc__), CASES, RESULTS).parse_args(), CASES)
