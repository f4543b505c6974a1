"""fastText's prediction of the most likely label, over the bytes of an Arrow column.

    bytes --tokens--> (memo) --n-grams--> rows of the input --added up--> mean --tree--> label, score

It computes what fastText 0.9.2 computes in single precision, operation by operation and in the same order, so that the
scores come out the same (`FastText::predict`, `Dictionary::getLine`, `Model::predict`, `HierarchicalSoftmaxLoss::dfs`).
It is faster because the input rows were decompressed once, because most tokens come again and their rows are
remembered, and because a row is added as one vector.
"""

import math

import numpy as np
import pyarrow as pa

from dataprep.fasttext_model import END_OF_LINE, LABEL_PREFIX
from dataprep.kernels.deferred import kernel
from dataprep.kernels.fasttext_tables import KEPT_BITS, PredictorTables
from dataprep.kernels.mixing import PRIME_1, PRIME_5, avalanche
from dataprep.kernels.row_sums import LANES, add_rows
from dataprep.kernels.text_buffers import text_buffers
from dataprep.kernels.unicode_classes import WHITESPACE, unicode_classes
from dataprep.kernels.utf8 import decode

BLANK = -1
"""The label of a text of nothing but whitespace."""

_MEMO_SLOTS = 1 << 14  # tokens remembered at most; a power of two, 16 bytes each
_MEMO_BYTES = 1 << 18  # of them; a token with its marks has some 10
_MEMO_ROWS = 1 << 17  # of them, 4 bytes each; a token has some 5
_SEPARATORS = b" \n\r\t\v\f\0"  # what ends a token: `Dictionary::readWord`
_LOG_FLOOR = 1e-5  # added before each logarithm: `Loss::std_log`

# FNV-1a, 32 bits (Fowler, Noll, Vo), but `Dictionary::hash` widens each byte as a signed one.
_FNV_OFFSET = np.uint32(2166136261)
_FNV_PRIME = np.uint32(16777619)


def predict(text: pa.LargeStringArray, tables: PredictorTables, num_characters: int) -> tuple[np.ndarray, np.ndarray]:
    """The most likely label of each text, int16[rows] (a place among the model's labels, or BLANK), and its score,
    float32[rows].

    Looks at the first `num_characters` codepoints as one line: a line feed separates tokens as a space does. As in
    fastText a token `</s>` ends the line, one that starts with `__label__` is passed over, and a score may be a little
    more than 1.
    """
    data, offsets = text_buffers(text)
    longest = min(int(np.diff(offsets).max(initial=0)), 4 * num_characters)  # 4: the most bytes of a codepoint
    labels, scores = np.empty(len(text), np.int16), np.empty(len(text), np.float32)
    # By their names, each: the compiled loop pays for every tuple of arrays that is handed from function to function.
    words = (tables.word_bytes, tables.word_offsets, tables.word_slots)
    tree = (tables.left, tables.right, tables.output)
    _predict(
        *(data, offsets, num_characters, unicode_classes().classes),
        *(*words, tables.ngrams, tables.kept, tables.rows, *tree),
        *(*_memo(longest, tables.ngrams), labels, scores),
    )
    return labels, scores


def _memo(longest: int, ngrams: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What is known of the tokens met before, until there is no more room and all are forgotten: `slots` int32[slots,
    4], `memo_bytes` uint8[], `memo_rows` int32[] and `used` int64[2].

    A token's slot, by its hash, has the place and the length (0: nothing there) of its bytes in `memo_bytes`, and the
    first and the end of its rows in `memo_rows`; `used` is how much of the two is. There is always room for a token of
    `longest` bytes.
    """
    slots = np.zeros((_MEMO_SLOTS, 4), np.int32)
    memo_bytes = np.empty(_MEMO_BYTES + longest + 2, np.uint8)
    return slots, memo_bytes, np.empty(_MEMO_ROWS + most_rows(longest, ngrams), np.int32), np.zeros(2, np.int64)


@kernel
def _predict(
    data,
    offsets,
    num_characters,
    classes,
    word_bytes,
    word_offsets,
    word_slots,
    ngrams,
    kept,
    rows,
    left,
    right,
    output,
    slots,
    memo_bytes,
    memo_rows,
    used,
    labels,
    scores,
):
    separates = np.zeros(256, np.bool_)
    for byte in _SEPARATORS:
        separates[byte] = True
    end_of_line = np.zeros(1, np.int32)  # its row: it is the first word of the vocabulary
    last_slot = np.uint64(len(slots) - 1)
    sums = np.empty(LANES, np.float32)
    for document in range(len(offsets) - 1):
        position = offsets[document]
        end = _head_end(data, position, offsets[document + 1], num_characters)
        if _is_blank(data, position, end, classes):
            labels[document] = BLANK
            scores[document] = 0
            continue
        sums[:] = 0
        num_rows = 1
        while True:
            start, position, token_hash = _next_token(data, position, end, separates)
            length = position - start
            if length == 0:
                break
            slot = token_hash & last_slot
            if slots[slot, 1] != length or not _equal(data, start, memo_bytes, np.int64(slots[slot, 0]), length):
                if _equal_to(data, start, position, END_OF_LINE):
                    break
                if used[0] + length + 2 > len(memo_bytes) or used[1] + most_rows(length, ngrams) > len(memo_rows):
                    slots[:] = 0
                    used[:] = 0
                word = _find_word(data, start, length, token_hash, word_bytes, word_offsets, word_slots)
                _remember(
                    *(data, start, length, word, len(word_offsets) - 1, ngrams, kept),
                    *(slots[slot], memo_bytes, memo_rows, used),
                )
            first, stop = slots[slot, 2], slots[slot, 3]
            add_rows(rows, memo_rows, first, stop, sums)
            num_rows += stop - first
        add_rows(rows, end_of_line, 0, 1, sums)
        sums *= np.float32(1.0 / num_rows)
        labels[document], scores[document] = _best_leaf(sums, left, right, output)


@kernel
def _head_end(data, start, end, num_characters):
    """Where the first `num_characters` codepoints end."""
    if end - start <= num_characters:
        return end
    block = 64  # bytes counted at once, as vectors
    position = start
    while num_characters >= block and position + block <= end:
        found = 0
        for i in range(position, position + block):
            found += (data[i] & 0xC0) != 0x80
        num_characters -= found
        position += block
    while position < end:
        if (data[position] & 0xC0) != 0x80:
            if num_characters == 0:
                break
            num_characters -= 1
        position += 1
    return position


@kernel
def _is_blank(data, start, end, classes):
    """Whether all is whitespace: the property White_Space, and the separators U+001C to U+001F, which Python and Arrow
    count among it."""
    position = start
    while position < end:
        codepoint, position = decode(data, position, end)
        if classes[codepoint] & WHITESPACE == 0 and not 0x1C <= codepoint <= 0x1F:
            return False
    return True


@kernel
def _next_token(data, position, end, separates):
    """Start, end and hash of the next token; an empty one where there is none (`Dictionary::readWord`)."""
    while position < end and separates[data[position]]:
        position += 1
    start = position
    state = PRIME_5
    while position < end:
        byte = data[position]
        if separates[byte]:
            break
        state = (state ^ np.uint64(byte)) * PRIME_1
        position += 1
    return start, position, avalanche(state)


@kernel
def _remember(data, start, length, word, num_words, ngrams, kept, slot, memo_bytes, memo_rows, used):
    """Puts a token and its rows (`Dictionary::addSubwords`) into the memo; `word`: its number, or -1."""
    first_byte, first_row = used
    end_byte = first_byte + length + 2
    memo_bytes[first_byte] = 0x3C  # <
    for i in range(length):
        memo_bytes[first_byte + 1 + i] = data[start + i]
    memo_bytes[end_byte - 1] = 0x3E  # >
    end_row = first_row
    if word >= 0:
        memo_rows[end_row] = word
        end_row += 1
    if not _equal_to(data, start, start + min(length, len(LABEL_PREFIX)), LABEL_PREFIX):  # a label gives no rows
        end_row = _put_ngram_rows(memo_bytes, first_byte, end_byte, ngrams, num_words, kept, memo_rows, end_row)
    slot[0] = first_byte + 1
    slot[1] = length
    slot[2] = first_row
    slot[3] = end_row
    used[0] = end_byte
    used[1] = end_row


@kernel
def most_rows(num_bytes, ngrams):
    """How many rows a token of `num_bytes` has at most: its own, and one for each n-gram of its characters and of the
    two marks around them."""
    min_ngram, max_ngram, _ = ngrams
    return 1 + (num_bytes + 2) * (max_ngram - min_ngram + 1)


@kernel
def _put_ngram_rows(token, start, end, ngrams, num_words, kept, out, count):
    """Writes the rows of the n-grams of token[start:end] behind out[:count], in order: by the character that they start
    at, then by length (`Dictionary::computeSubwords`). Returns the new count."""
    min_ngram, max_ngram, num_buckets = ngrams
    divisor = np.uint32(num_buckets)
    inverse = np.uint64((1 << 32) // num_buckets)
    for first in range(start, end):
        if (token[first] & 0xC0) == 0x80:
            continue
        state = _FNV_OFFSET
        position = first
        n = 0
        while position < end and n < max_ngram:
            while True:  # a character: its first byte, and those that go on
                state = np.uint32((state ^ np.uint32(np.int8(token[position]))) * _FNV_PRIME)
                position += 1
                if position == end or (token[position] & 0xC0) != 0x80:
                    break
            n += 1
            if n < min_ngram:
                continue
            # The remainder, as the machine divides slowly: the quotient by the rounded inverse is right or one too low.
            quotient = np.uint32((np.uint64(state) * inverse) >> np.uint64(32))
            bucket = np.uint32(state - np.uint32(quotient * divisor))
            if bucket >= divisor:
                bucket = np.uint32(bucket - divisor)
            number = bucket // KEPT_BITS
            block = kept[number]
            bit = np.uint64(bucket - number * KEPT_BITS)
            if (block >> bit) & np.uint64(1):
                # Rows stand in the order of their buckets.
                before = _num_ones(block & ((np.uint64(1) << bit) - np.uint64(1)))
                out[count] = num_words + np.int64(block >> np.uint64(KEPT_BITS)) + before
                count += 1
    return count


@kernel
def _num_ones(bits):
    """How many of 64 bits are set (Warren, Hacker's Delight, 5-1)."""
    bits = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
    bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def _best_leaf(mean, left, right, output):
    """The leaf that is reached with the highest probability, and that probability.

    A search with bounds: below a node no leaf is likelier than the node itself.
    """
    num_leaves = output.shape[1] + 1
    # Every node's logit: each is summed up in the order of the dimensions, but many of them at a time.
    logits = np.zeros(num_leaves - 1, np.float32)
    for dimension in range(LANES):
        for node in range(num_leaves - 1):
            logits[node] += output[dimension, node] * mean[dimension]
    best_leaf = -1
    best_score = np.float32(-np.inf)
    lowest = np.float32(math.log(_LOG_FLOOR))  # of a threshold of 0
    nodes = np.empty(2 * num_leaves, np.int32)
    node_scores = np.empty(2 * num_leaves, np.float32)
    nodes[0] = 2 * num_leaves - 2
    node_scores[0] = 0
    depth = 1
    while depth > 0:
        depth -= 1
        node = nodes[depth]
        score = node_scores[depth]
        if score < lowest or score < best_score:
            continue
        if left[node] < 0:
            best_leaf, best_score = node, score  # also where it is equal: the later leaf stays on fastText's heap
            continue
        to_right = np.float32(1.0 / np.float64(np.float32(1) + math.exp(-logits[node - num_leaves])))
        to_left = np.float32(1.0 - np.float64(to_right))
        nodes[depth] = right[node]
        node_scores[depth] = score + np.float32(math.log(np.float64(to_right) + _LOG_FLOOR))
        nodes[depth + 1] = left[node]  # taken first
        node_scores[depth + 1] = score + np.float32(math.log(np.float64(to_left) + _LOG_FLOOR))
        depth += 2
    return best_leaf, math.exp(best_score)


@kernel
def _find_word(data, start, length, token_hash, word_bytes, word_offsets, word_slots):
    """The word's number in the vocabulary, or -1."""
    last_slot = np.uint64(len(word_slots) - 1)
    slot = token_hash & last_slot
    while word_slots[slot] >= 0:
        word = word_slots[slot]
        first = word_offsets[word]
        if word_offsets[word + 1] - first == length and _equal(data, start, word_bytes, first, length):
            return word
        slot = (slot + np.uint64(1)) & last_slot
    return -1


@kernel
def _equal(ours, our_start, theirs, their_start, length):
    i = 0
    while i < length and ours[our_start + i] == theirs[their_start + i]:
        i += 1
    return i == length


@kernel
def _equal_to(data, start, end, literal):
    i = 0
    while i < len(literal) and start + i < end and data[start + i] == literal[i]:
        i += 1
    return i == len(literal) and start + i == end
