"""Phrases that condemn the line they stand in, found a block of bytes at a time.

Numba's cache looks at the file of the calling kernel only: after a change here, run `python -m dataprep.kernels.warm`.
"""

import functools

import numpy as np

from dataprep.kernels.ascii_case import stands_at
from dataprep.kernels.blocks import BLOCK, lowest_bit, pairs_of_block
from dataprep.kernels.deferred import kernel
from dataprep.kernels.edit_rules import JAVASCRIPT, POLICY, RULES

# (phrase, rule, where its anchor stands in it). Raffel et al. 2020, 2.2, and its code: `_POLICY_SUBSTRINGS` of
# c4_utils.py in tensorflow_datasets.
PHRASES = (
    (b"javascript", JAVASCRIPT, 0),
    (b"terms of use", POLICY, 3),
    (b"privacy policy", POLICY, 5),
    (b"cookie policy", POLICY, 3),
    (b"uses cookies", POLICY, 8),
    (b"use of cookies", POLICY, 10),
    (b"use cookies", POLICY, 7),
)

ANCHORS = (b"ja", b"ms", b"cy", b"ki")
"""Two bytes of each phrase that are rare in English (in a thousand places, all four of them: 3)."""

_anchors_of_block = pairs_of_block(ANCHORS)


@functools.cache
def phrase_table() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The phrases one after another (uint8), their offsets (int64[phrases + 1]), rules and anchors' places (int64)."""
    data = np.frombuffer(b"".join(phrase for phrase, _, _ in PHRASES), np.uint8)
    offsets = np.cumsum([0] + [len(phrase) for phrase, _, _ in PHRASES], dtype=np.int64)
    rules, places = (np.array([entry[n] for entry in PHRASES], np.int64) for n in (1, 2))
    for array in (offsets, rules, places):
        array.flags.writeable = False
    return data, offsets, rules, places


@kernel
def next_phrase(data, position, stop, phrases, enabled):
    """Where the next anchor of an enabled phrase stands whose phrase begins at `position` or later, and the first rule
    with such a phrase; `stop` and no rule (len(RULES)) where there is none before `stop`. ASCII letters match in any
    case.

    No phrase holds a line feed, so that none is found across the end of a line.
    """
    start = position
    while position + BLOCK < stop:
        mask = _anchors_of_block(data, position)
        while mask != 0:
            anchor = position + lowest_bit(mask)
            rule = _phrase_rule(data, start, anchor, stop, phrases, enabled)
            if rule < len(RULES):
                return anchor, rule
            mask &= mask - np.uint64(1)
        position += BLOCK
    while position + 1 < stop:
        if _is_anchor(data[position] | 0x20, data[position + 1] | 0x20):
            rule = _phrase_rule(data, start, position, stop, phrases, enabled)
            if rule < len(RULES):
                return position, rule
        position += 1
    return stop, len(RULES)


@kernel
def _is_anchor(first, second):
    for anchor in ANCHORS:  # noqa: SIM110 -- numba knows no `any`
        if first == anchor[0] and second == anchor[1]:
            return True
    return False


@kernel
def _phrase_rule(data, start, anchor, stop, phrases, enabled):
    """The first enabled rule with a phrase whose anchor stands at `anchor`; len(RULES) if none."""
    phrase_data, phrase_offsets, phrase_rules, places = phrases
    for i in range(len(phrase_rules)):
        first, last = phrase_offsets[i], phrase_offsets[i + 1]
        begin = anchor - places[i]
        if not enabled[phrase_rules[i]] or begin < start or begin + last - first > stop:
            continue
        if stands_at(data, begin, phrase_data, first, last):
            return phrase_rules[i]
    return len(RULES)
