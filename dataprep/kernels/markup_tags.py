"""What the scan of markup knows about HTML: elements by name, words of class names, character references.

Tables for compiled code: a name becomes a 64-bit key, a key a slot of an open hash table.
"""

import tomllib
from html.entities import html5
from pathlib import Path

import numpy as np

from dataprep.kernels.deferred import kernel

with Path(__file__).with_name("markup.toml").open("rb") as _file:
    _LISTS = {name: {key: words.split() for key, words in lists.items()} for name, lists in tomllib.load(_file).items()}

VOID, RAW, SKIPPED, INLINE, BLOCK = range(1, 6)
_KINDS = _LISTS["kinds"]
NAMES = ("", "br", *(name for names in _KINDS.values() for name in names))
"""Elements, by number; 0 is any other."""

BR, HR, A, P, PRE, LISTING, SVG = map(NAMES.index, ("br", "hr", "a", "p", "pre", "listing", "svg"))
LI, UL, OL, MENU, DIR = map(NAMES.index, ("li", "ul", "ol", "menu", "dir"))
DT, DD, DL = map(NAMES.index, ("dt", "dd", "dl"))
TABLE, TR, TD, TH = map(NAMES.index, ("table", "tr", "td", "th"))

KIND = np.zeros(len(NAMES), np.uint8)
for _kind, _names in enumerate(_KINDS.values(), VOID):
    KIND[[NAMES.index(name) for name in _names]] = _kind

ROLES = tuple(_LISTS["roles"])
ROLE = np.zeros(len(NAMES), np.int64)  # a bit for each role
for _bit, _names in enumerate(_LISTS["roles"].values()):
    ROLE[[NAMES.index(name) for name in _names]] |= 1 << _bit

GROUP = np.zeros(len(NAMES), np.int64)  # its number, in the order of GROUPS; 0: none
GROUPS = ("none", *_LISTS["groups"])
for _group, _names in enumerate(_LISTS["groups"].values(), 1):
    GROUP[[NAMES.index(name) for name in _names]] = _group

HINT_NAMES, SAYING_NAMES = tuple(_LISTS["hints"]), tuple(_LISTS["sayings"])

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, as Knuth has it


def _key(name: str) -> int:
    """As `key_step` over the bytes, in Python."""
    key = 0
    for byte in name.encode():
        key = ((key ^ byte) * int(MULTIPLIER)) & (2**64 - 1)
        key ^= key >> 29
    return key


@kernel
def key_step(key, byte):  # pragma: no cover - compiled
    """The key of a name that is longer by one byte; the empty name has the key 0."""
    key = (key ^ np.uint64(byte)) * MULTIPLIER
    return key ^ (key >> np.uint64(29))


def _table(values: dict[str, int], num_slots: int) -> np.ndarray:
    """Slots of (key, value) with linear probing. An empty slot has the key 0."""
    table = np.zeros((num_slots, 2), np.uint64)
    for name, value in values.items():
        key = _key(name)
        slot = key & (num_slots - 1)
        while table[slot, 0] not in (0, key):
            slot = (slot + 1) & (num_slots - 1)
        table[slot] = key, int(table[slot, 1]) | value
    return table


@kernel
def look_up(table, key):  # pragma: no cover - compiled
    """The value of a key, 0 when it has none."""
    mask = np.uint64(len(table) - 1)
    slot = key & mask
    while table[slot, 0] != 0:
        if table[slot, 0] == key:
            return table[slot, 1]
        slot = (slot + np.uint64(1)) & mask
    return np.uint64(0)


TAG_TABLE = _table({name: number for number, name in enumerate(NAMES) if name}, 512)


def _bits(lists: dict[str, list[str]]) -> dict[str, int]:
    """word -> a bit for each list that it stands in."""
    bits: dict[str, int] = {}
    for bit, words in enumerate(lists.values()):
        for word in words:
            bits[word] = bits.get(word, 0) | 1 << bit
    return bits


HINT_TABLE = _table(_bits(_LISTS["hints"]), 2048)
SAYING_TABLE = _table(_bits(_LISTS["sayings"]), 1024)

CLASS, ID, ROLE_ATTRIBUTE, HIDDEN, ARIA_HIDDEN, STYLE = 1, 2, 3, 4, 5, 6
ATTRIBUTE_TABLE = _table(
    {
        "class": CLASS,
        "id": ID,
        "role": ROLE_ATTRIBUTE,
        "hidden": HIDDEN,
        "aria-hidden": ARIA_HIDDEN,
        "style": STYLE,
        "itemprop": CLASS,
    },
    64,
)

# Character references: the value is offset << 8 | length in REFERENCE_BYTES. Those that may stand without a semicolon
# are in the list without one, too, and have at most six letters.
_references = {name: text.encode() for name, text in html5.items()}
REFERENCE_BYTES = np.frombuffer(b"".join(_references.values()), np.uint8).copy()
_offsets = np.cumsum([0, *map(len, _references.values())])
REFERENCE_TABLE = _table(
    {
        name: int(offset) << 8 | len(text)
        for (name, text), offset in zip(_references.items(), _offsets[:-1], strict=True)
    },
    8192,
)
MAX_BARE_REFERENCE = 6
# HTML, 13.2.5.80: numbers that mean windows-1252.
WINDOWS_1252 = np.array(
    [
        ord(bytes([byte]).decode("cp1252", "replace")) if byte not in (129, 141, 143, 144, 157) else byte
        for byte in range(128, 160)
    ],
    np.int64,
)
