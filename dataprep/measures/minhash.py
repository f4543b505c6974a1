"""What near-duplicates are looked up by: see `dataprep.kernels.minhash`."""

from dataclasses import dataclass

import pyarrow as pa

from dataprep.kernels.minhash import MinHashConfig, band_hashes, minhash_signatures
from dataprep.measures.batch import Batch


@dataclass(frozen=True)
class MinHashMeasure:
    """`minhash_bands`, one hash a band."""

    config: MinHashConfig

    def fields(self) -> list[pa.Field]:
        return [pa.field("minhash_bands", pa.list_(pa.uint64(), self.config.num_bands), nullable=False)]

    def columns(self, batch: Batch) -> list[pa.Array]:
        bands = band_hashes(minhash_signatures(batch.words, self.config), self.config)
        return [pa.FixedSizeListArray.from_arrays(pa.array(bands.ravel()), self.config.num_bands)]
