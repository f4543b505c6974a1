"""What the rules about lines and symbols need: see `dataprep.kernels.lines`."""

import pyarrow as pa

from dataprep.kernels.lines import line_statistics
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts


class LineMeasure:
    """Characters, `#` and ellipses; lines that are not blank, that start with a bullet, that end in an ellipsis."""

    def fields(self) -> list[pa.Field]:
        return counts(
            "num_characters", "num_hashes", "num_ellipses", "num_lines", "num_bullet_lines", "num_ellipsis_lines"
        )

    def columns(self, batch: Batch) -> list[pa.Array]:
        found = line_statistics(batch.text)
        return [
            pa.array(found.num_characters),
            pa.array(found.num_hashes),
            pa.array(found.num_ellipses),
            pa.array(found.num_lines),
            pa.array(found.num_bullet_lines),
            pa.array(found.num_ellipsis_lines),
        ]
