"""What the rules about lines, paragraphs, sentences and symbols need: see `dataprep.kernels.lines`."""

import pyarrow as pa

from dataprep.kernels.lines import COLUMNS, line_statistics
from dataprep.measures.batch import Batch
from dataprep.measures.contract import counts


class LineMeasure:
    """The counts of `dataprep.kernels.lines.LineStatistics`, by their names."""

    def fields(self) -> list[pa.Field]:
        return counts(*COLUMNS)

    def columns(self, batch: Batch) -> list[pa.Array]:
        found = line_statistics(batch.text)
        return [pa.array(getattr(found, name)) for name in COLUMNS]
