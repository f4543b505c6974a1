"""What may change a text in `clean`, by name: the index into `RULES` is what `schemas.EDITS` stores for each span."""

# Rules about lines, in the order in which they are tried: a line that breaks several carries the first.
# C4's (Raffel et al. 2020, section 2.2), then RefinedWeb's (Penedo et al. 2023, appendix G.2).
C4_RULES = ("javascript_line", "policy_line", "long_word_line", "short_line", "no_terminal_punctuation")
REFINEDWEB_RULES = ("uppercase_line", "digits_line", "counter_line", "one_word_line")

# Rules that bring a text into its normal form.
CHARACTER_RULES = (
    "mojibake",
    "line_end",
    "control_character",
    "zero_width",
    "trailing_blanks",
    "extra_marks",
    "normal_form",
)

LINE_RULES = (*C4_RULES, *REFINEDWEB_RULES, "site_boilerplate")

PHRASE_RULES = ("navigation_phrase",)
"""RefinedWeb's rule that edits short lines: it takes pieces of them."""

RULES = (*LINE_RULES, *CHARACTER_RULES, *PHRASE_RULES)
"""Every rule of `clean`. Indices are what is stored: a new rule goes to the end, or older cuts would change names."""

JAVASCRIPT, POLICY, LONG_WORD, SHORT, NO_TERMINAL_PUNCTUATION = range(5)
UPPERCASE, DIGITS, COUNTER, ONE_WORD, SITE_BOILERPLATE = range(5, 10)
MOJIBAKE, LINE_END, CONTROL_CHARACTER, ZERO_WIDTH, TRAILING_BLANKS, EXTRA_MARKS, NORMAL_FORM = range(10, 17)
NAVIGATION_PHRASE = 17
