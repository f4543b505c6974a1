"""`clean` read slowly, a character at a time, with Python's own `unicodedata`: what the kernels are held against.

Written from the published rules and the docstrings, not from the kernels.
"""

import functools
import re
import unicodedata

from dataprep.kernels.build_normal_form_tables import INVISIBLE_RANGES, JOINING_NAMES, PICTOGRAPHIC_RANGES
from dataprep.kernels.build_unicode_classes import UNSPACED_NAMES

LINE_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
ENDS = '.!?"”。．！？؟۔।॥։።។။'
COUNTER = re.compile(
    "[0-9][0-9.,]*[kmb]?[ \t]+"
    "(like|share|comment|retweet|repost|quote|bookmark|upvote|downvote|download|view|follower)s?"
)


@functools.cache
def is_removed(c: str, zero_width: bool) -> bool:
    codepoint = ord(c)
    if c not in "\t\n" and unicodedata.category(c) == "Cc":
        return True
    if 0xFDD0 <= codepoint <= 0xFDEF or codepoint % 0x10000 in (0xFFFE, 0xFFFF):
        return True
    return zero_width and (is_joiner(c) or any(a <= codepoint <= b for a, b in INVISIBLE_RANGES))


def is_joiner(c: str) -> bool:
    return c in "\u200c\u200d"


def joins(c: str) -> bool:
    return c != "" and unicodedata.category(c)[0] in "LM" and unicodedata.name(c, "").startswith(JOINING_NAMES)


def is_pictograph(c: str) -> bool:
    if c == "\ufe0f":
        return True
    in_range = c != "" and any(a <= ord(c) <= b for a, b in PICTOGRAPHIC_RANGES)
    return in_range and unicodedata.category(c) in ("So", "Sk", "Cn") and not unicodedata.decomposition(c)


def last_but_marks(text: str) -> str:
    """The last character, but for marks that are of no script."""
    while text and unicodedata.category(text[-1])[0] == "M" and not joins(text[-1]) and not is_pictograph(text[-1]):
        text = text[:-1]
    return text[-1:]


def without_symbols_around(line: str) -> str:
    ends = [n for n, c in enumerate(line) if unicodedata.category(c)[0] in "LMN"]
    return line[ends[0] : ends[-1] + 1] if ends else ""


def without_removed(text: str, zero_width: bool, limits_marks: bool) -> str:
    kept: list[str] = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and is_removed(text[end], zero_width):
            end += 1
        if end == at:
            kept.append(text[at])
            at += 1
            continue
        so_far = "".join(kept[-100:])
        before = last_but_marks(without_extra_marks(so_far) if limits_marks else so_far)
        behind = text[end : end + 1]
        for c in text[at:end]:
            if c == "\u200d" and (joins(before) or (is_pictograph(before) and is_pictograph(behind))):
                kept.append(c)
                break
            if c == "\u200c" and joins(before) and joins(behind):
                kept.append(c)
                break
        at = end
    return "".join(kept)


@functools.cache
def is_mark(c: str) -> bool:
    return unicodedata.category(c)[0] == "M"


def without_extra_marks(text: str) -> str:
    kept, marks = [], 0
    for c in text:
        marks = marks + 1 if is_mark(c) else 0
        if marks <= 30:
            kept.append(c)
    return "".join(kept)


def without_trailing_blanks(text: str) -> str:
    blanks = "\t" + "".join(map(chr, [0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]))
    return "\n".join(line.rstrip(blanks) for line in text.split("\n"))


def normal_form(text: str, form: str = "NFC", zero_width: bool = True) -> str:
    text = without_removed(LINE_BREAKS.sub("\n", text), zero_width, limits_marks=form != "none")
    if form != "none":
        text = without_extra_marks(unicodedata.normalize(form, without_extra_marks(text)))
    return without_trailing_blanks(text)


@functools.cache
def is_single(c: str) -> bool:
    return unicodedata.category(c)[0] == "L" and unicodedata.name(c, "").startswith(UNSPACED_NAMES)


def words(line: str) -> list[str]:
    found: list[str] = []
    inside = unspaced = False
    for c in line:
        category, single = unicodedata.category(c)[0], is_single(c)
        if category not in "LMN":
            inside = False
        elif inside and not single and not (unspaced and category != "M"):
            found[-1] += c
        else:
            found.append(c)
            inside, unspaced = True, single
    return found


def is_space(c: str) -> bool:
    return unicodedata.category(c)[0] == "Z" or c in "\t\n\v\f\r\x85"


def longest_word(line: str) -> int:
    longest = run = 0
    for c in line:
        if is_space(c):
            run = 0
            continue
        run = 1 if is_single(c) else run + 1
        longest = max(longest, run)
    return longest


def ascii_lower(text: str) -> str:
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def line_rule(line: str, config: dict) -> str | None:
    """The first rule that the line breaks, by the settings of `CleanConfig` and, one level deep, `RefinedWebConfig`."""
    lowered, stripped = ascii_lower(line), "".join(c for c in line if not is_space(c))
    if config["javascript"] and "javascript" in lowered:
        return "javascript_line"
    if config["policy_phrases"] and any(phrase in lowered for phrase in POLICY):
        return "policy_line"
    if not stripped:
        return None
    if len(line) > config["max_word_characters"] and longest_word(line) > config["max_word_characters"]:
        return "long_word_line"
    if len(words(line)) < config["min_words"]:
        return "short_line"
    if config["terminal_punctuation"] and (stripped[-1] not in ENDS or line.rstrip().endswith("...")):
        return "no_terminal_punctuation"
    web = config["refinedweb"]
    if web is None:
        return None
    if sum(len(c.lower()) > 1 or c.lower() != c for c in line) > web["max_uppercase_share"] * len(line):
        return "uppercase_line"
    if web["digits"] and all(unicodedata.category(c)[0] == "N" for c in stripped):
        return "digits_line"
    if web["counters"] and COUNTER.fullmatch(without_symbols_around(lowered)):
        return "counter_line"
    return "one_word_line" if len(words(line)) < web["min_words"] else None


def is_whole(line: str, start: int, end: int) -> bool:
    """Whether [start, end) is no part of a longer word, and no mark belongs to its last character."""
    if line[end : end + 1] and is_mark(line[end]):
        return False
    inside = words(line[start:end])
    return words(line) == words(line[:start]) + inside + words(line[end:])


def without_blanks_before(line: str) -> str:
    """Without leading blanks, unless a mark stands on the last of them."""
    rest = line.lstrip()
    return line if rest and is_mark(rest[0]) else rest


def one_round(line: str, web: dict) -> str:
    """The line without the phrases that it shows: one at its beginning, one at its end, all within."""
    lead = line[: len(line) - len(without_blanks_before(line))]
    line = line[len(lead) :]
    for phrase in web["start_phrases"]:
        if ascii_lower(line).startswith(phrase) and is_whole(line, 0, len(phrase)):
            line = without_blanks_before(line[len(phrase) :])
            break
    for phrase in web["end_phrases"]:
        at = len(line) - len(phrase)
        if ascii_lower(line).endswith(phrase) and is_whole(line, at, len(line)):
            line = line[:at].rstrip()
            break
    kept, at = "", 0
    while at < len(line):
        for phrase in web["inner_phrases"]:
            if ascii_lower(line).startswith(phrase, at) and is_whole(line, at, at + len(phrase)):
                rest = without_blanks_before(line[at + len(phrase) :])
                if not rest:
                    kept = kept.rstrip()
                at = len(line) - len(rest)
                break
        else:
            kept += line[at]
            at += 1
    return lead + kept


def without_phrases(line: str, web: dict | None) -> str:
    while web is not None and len(words(line)) <= web["max_phrase_line_words"]:
        edited = one_round(line, web)
        if edited == line:
            break
        line = edited
    return line


def survivor(text: str, config: dict) -> tuple[str, list[str]]:
    """What survives of a text, and the rules behind the lines that do not."""
    kept, rules = [], []
    for line in normal_form(text, config["normalization"], config["zero_width"]).splitlines(keepends=True):
        edited = without_phrases(line.removesuffix("\n"), config["refinedweb"])
        if edited != line.removesuffix("\n"):
            if not edited.strip():
                continue
            line = edited + "\n" * line.endswith("\n")
        rule = line_rule(line.removesuffix("\n"), config)
        if rule is None:
            kept.append(line)
        else:
            rules.append(rule)
    return "".join(kept), rules
