import subprocess
import sys
from pathlib import Path

import dataprep.kernels
from dataprep.kernels.warm import KERNEL_MODULES

# In a process of its own: other tests may have called a kernel with arrays that nothing else has.
SCRIPT = """
import pyarrow as pa

from dataprep import schemas
from dataprep.annotate import AnnotateConfig, annotate
from dataprep.clean import CleanConfig, clean
from dataprep.deduplicate.components import components
from dataprep.deduplicate.edges import EDGES
from dataprep.kernels.minhash import MinHashConfig
from dataprep.kernels.warm import compile_all, kernels


def signatures():
    return {kernel.__qualname__: kernel.dispatcher.signatures for kernel in kernels()}


compile_all()
before = signatures()
assert before and all(len(found) <= 1 for found in before.values()), before

# Other sizes, chunks, slices and settings than those that the warming used; writable buffers.
rows = [
    {"id": bytes([i] * 16), "url": "", "offset": i, "num_payload_bytes": 0, "text": f"{i} \u00e9.\\nuse cookies"}
    for i in range(3)
]
documents = pa.Table.from_pylist(rows, schemas.DOCUMENTS)
documents = pa.concat_tables([documents, documents]).slice(1, 4)
edits = clean(documents, CleanConfig(terminal_punctuation=True, min_words=3))
annotate(documents, edits, AnnotateConfig(minhash=MinHashConfig(num_bands=2, ngram_words=2)))
annotate(documents[:0], edits[:0], AnnotateConfig())
ids = pa.array([bytes([0] * 14) + n.to_bytes(2, "big") for n in range(3000)], schemas.ID)
components(pa.Table.from_arrays([ids[:-1], ids[1:]], schema=EDGES))
assert signatures() == before, signatures()
"""


def test_nothing_is_left_to_compile_after_warming():
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_every_module_with_a_kernel_is_warmed():
    folder = Path(dataprep.kernels.__file__).parent
    with_kernel = {path.stem for path in folder.glob("*.py") if "\n@kernel" in path.read_text()}
    assert with_kernel == set(KERNEL_MODULES)
