"""`tokenizer`: byte-level BPE, trained on a stated sample of the training split, and the encoder that uses it.

    corpus, every shard --sample--> texts --train--> tokenizer.json --Encoder--> tokens

Byte-level BPE is Radford et al. 2019 (GPT-2): its 256 bytes are tokens, its regular expression parts words, nothing is
normalised and no space is put before a text, so that tokens spell out the text byte for byte.

Ties: of pairs that occur equally often, the trainer of Hugging Face's `tokenizers` merges the one with the smaller
token ids first, so one sample gives one tokenizer, on any machine and with any number of threads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from dataprep import document_id
from dataprep.errors import CorruptDataError, DataError
from dataprep.kernels.text_buffers import batches, column, text_buffers
from dataprep.schemas import CORPUS
from dataprep.split import TRAIN

END_OF_DOCUMENT = "<|endoftext|>"
"""The one special token, GPT-2's. Its id is 0."""

MAX_BATCH_BYTES = 8 << 20
"""Text encoded at a time: its tokens are Python integers on the way, some ten times as large."""

_SEED_STREAM = 0x70CE  # keeps the sample apart from every other use of the same seed
_SAMPLE_COLUMNS = ["id", "split", "text"]


class TokenizerConfig(BaseModel):
    """How large the vocabulary is and what it is learned from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    vocab_size: int = Field(
        default=4096,
        ge=257,
        description="tokens at most: 256 bytes, the end of a document, and merges while there are any",
    )
    min_frequency: int = Field(default=2, ge=1, description="occurrences in the sample that a pair needs to be merged")
    sample_bytes: int = Field(
        default=50_000_000, ge=1, description="UTF-8 bytes of text to learn from; the last document may go beyond"
    )
    seed: int = Field(default=0, ge=0, description="another seed samples other documents")


def sample(corpus_parts: Iterable[pa.Table], config: TokenizerConfig) -> pa.Table:
    """The documents to learn from (`id`, `split`, `text`): those of the training split in ascending order of
    `document_id.mix`, until `sample_bytes` is reached.

    The parts are shards of `schemas.CORPUS` or samples of them: the sample of samples is the sample of the whole,
    so each shard can be sampled where it lies.
    """
    chosen = pa.schema([CORPUS.field(name) for name in _SAMPLE_COLUMNS]).empty_table()
    for part in corpus_parts:
        chosen = _first(pa.concat_tables([chosen, part.select(_SAMPLE_COLUMNS)]), config)
    return chosen


def _first(documents: pa.Table, config: TokenizerConfig) -> pa.Table:
    documents = documents.filter(pc.equal(documents["split"], TRAIN))
    ids = column(documents, "id")
    high, low = document_id.words(ids)
    order = np.lexsort((low, high, document_id.mix(ids, _SEED_STREAM + config.seed)))
    num_bytes = pc.binary_length(column(documents, "text")).to_numpy()[order]
    num_bytes_before = np.cumsum(num_bytes) - num_bytes
    return documents.take(order[num_bytes_before < config.sample_bytes])


def train(text: pa.LargeStringArray, config: TokenizerConfig) -> bytes:
    """The `tokenizer.json` learned from the texts, whatever their order. Raises DataError without any text."""
    if not pc.any(pc.greater(pc.binary_length(text), 0)).as_py():
        raise DataError("the sample for the tokenizer holds no text: did any document reach the training split?")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        min_frequency=config.min_frequency,
        special_tokens=[END_OF_DOCUMENT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),  # all 256 bytes: no text is out of reach
        show_progress=False,
    )
    parts = (text.slice(start, stop - start).to_pylist() for start, stop in batches(text, MAX_BATCH_BYTES))
    tokenizer.train_from_iterator(parts, trainer=trainer)
    return tokenizer.to_str().encode()


@dataclass(frozen=True)
class Tokens:
    """The tokens of document i are `tokens[offsets[i]:offsets[i + 1]]` (int32)."""

    tokens: np.ndarray
    offsets: np.ndarray


class Encoder:
    """Text to tokens and back, without loss. It uses as many threads as `RAYON_NUM_THREADS` allows."""

    def __init__(self, tokenizer_json: bytes) -> None:
        self._tokenizer = Tokenizer.from_str(tokenizer_json.decode())
        # A page that says `<|endoftext|>` says it letter by letter: it must not end a document.
        self._tokenizer.encode_special_tokens = True
        self.vocab_size = self._tokenizer.get_vocab_size()
        eod = self._tokenizer.token_to_id(END_OF_DOCUMENT)
        if eod is None:
            raise CorruptDataError(f"the tokenizer has no token {END_OF_DOCUMENT}; use one that Seedbed trained")
        self.eod: int = eod
        self._token_bytes = pa.array(self.token_bytes(), pa.large_binary())

    def encode(self, text: pa.LargeStringArray) -> Tokens:
        """The tokens of each text, nothing added. Raises CorruptDataError should they not spell it out."""
        parts = [self._encode(text.slice(start, stop - start)) for start, stop in batches(text, MAX_BATCH_BYTES)]
        tokens = np.concatenate([np.empty(0, np.int32), *(part.tokens for part in parts)])
        num_tokens = np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in parts)])
        return Tokens(tokens, np.concatenate([[0], np.cumsum(num_tokens)]).astype(np.int64))

    def _encode(self, text: pa.LargeStringArray) -> Tokens:
        encodings = [found.ids for found in self._tokenizer.encode_batch_fast(text.to_pylist())]
        offsets = np.zeros(len(encodings) + 1, np.int64)
        np.cumsum([len(ids) for ids in encodings], out=offsets[1:])
        tokens = np.fromiter(chain.from_iterable(encodings), np.int32, offsets[-1])
        self._check_spelling(text, tokens, offsets)
        return Tokens(tokens, offsets)

    def spell(self, tokens: Tokens) -> pa.LargeBinaryArray:
        """What the tokens of each document spell out, byte for byte; the end of a document adds nothing."""
        pieces = self._token_bytes.take(pa.array(tokens.tokens))
        data, ends = text_buffers(pieces)
        buffers = [None, pa.py_buffer(np.ascontiguousarray(ends[tokens.offsets])), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_binary(), len(tokens.offsets) - 1, buffers)

    def _check_spelling(self, text: pa.LargeStringArray, tokens: np.ndarray, offsets: np.ndarray) -> None:
        found, ends = text_buffers(self.spell(Tokens(tokens, offsets)))
        data, text_offsets = text_buffers(text)
        same_sizes = np.array_equal(ends, text_offsets - text_offsets[0])
        if not (same_sizes and np.array_equal(found[: ends[-1]], data[text_offsets[0] : text_offsets[-1]])):
            raise CorruptDataError(
                f"the tokens of {len(text)} documents do not spell out their text: "
                f"{ends[-1]} bytes, expected {text_offsets[-1] - text_offsets[0]}; is this a byte-level tokenizer?"
            )

    def decode(self, tokens: Iterable[int]) -> str:
        """The text that tokens spell out; bytes that are no UTF-8, as where a text is cut, become U+FFFD."""
        table = self._token_bytes
        return b"".join(table[int(token)].as_py() for token in tokens).decode(errors="replace")

    def token_bytes(self) -> list[bytes]:
        """The bytes that each token spells, by id; none for the end of a document."""
        byte_of = {char: byte for byte, char in enumerate(_byte_characters())}
        spelled = [b""] * self.vocab_size
        for token, number in self._tokenizer.get_vocab().items():
            if number != self.eod:
                spelled[number] = bytes(byte_of[char] for char in token)
        return spelled


def _byte_characters() -> list[str]:
    """The printable character that stands for each byte in a byte-level vocabulary (GPT-2, `bytes_to_unicode`)."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    characters, num_others = [], 0
    for byte in range(256):
        characters.append(chr(byte if byte in printable else 0x100 + num_others))
        num_others += byte not in printable
    return characters
