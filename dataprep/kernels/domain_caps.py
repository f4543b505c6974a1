"""Which documents of a domain are within its cap: one pass over rows in the order of their domains."""

import numpy as np

from dataprep.kernels.deferred import kernel

KEPT, DOCUMENTS, BYTES = np.int64(0), np.int64(1), np.int64(2)  # numba compiles anew for each literal that it is given
"""What a row is: kept, or over the cap of documents or of bytes."""


@kernel
def hold_to_caps(domains, num_bytes, max_documents, max_bytes, outcomes, values):
    """Fills in `outcomes` (int64) and, for what is not kept, `values`: what the domain would have come to with it.

    Rows of one domain (uint64) stand together, in the order in which they are taken. One that is too large for what is
    left of a cap goes, and later ones that fit are taken.
    """
    documents, total = np.int64(0), np.int64(0)
    for row in range(len(domains)):
        if row == 0 or domains[row] != domains[row - 1]:
            documents, total = np.int64(0), np.int64(0)
        outcomes[row], values[row] = KEPT, 0
        if documents + 1 > max_documents:
            outcomes[row], values[row] = DOCUMENTS, documents + 1
        elif total + num_bytes[row] > max_bytes:
            outcomes[row], values[row] = BYTES, total + num_bytes[row]
        else:
            documents += 1
            total += num_bytes[row]
