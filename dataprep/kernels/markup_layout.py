"""What the scan of a page's markup fills and what it keeps while it goes: fields by their number, and limits.

    blocks    int64[:, BLOCK_FIELDS]: a stretch of text without a boundary of a block-level element
    elements  int64[:, ELEMENT_FIELDS]: block-level elements, each after its parent; 0 is the page
    state     int64[STATE_FIELDS]: what is known at a place of the page
    stack     int64[MAX_OPEN, STACK_FIELDS]: what is known of each open element
    open_of   int64[elements' names]: how many of each are open

`scan` makes the last three; its caller gives the others.
"""

# Fields of a block. LINK_BYTES: those of links, with the space before each. BEFORE: tags since the block before it.
START, END, ELEMENT, LINK_BYTES, LINKS, BEFORE, IS_PRE, BLOCK_FIELDS = range(8)
# Fields of an element. HINTS and ROLES hold its own, ALL_HINTS and ALL_ROLES those around it, too.
PARENT, TAG, HINTS, ALL_HINTS, ALL_ROLES, DEPTH, ELEMENT_FIELDS = range(7)

# Fields of the state. OUT, BLOCKS, ELEMENTS: how much is written. OPEN: elements that are open, OVER: those beyond
# MAX_OPEN. SKIP: what OPEN was with the element that is left out, 0 outside of one. SPACE: whether one waits. TAGS:
# since the block before.
OUT, BLOCKS, ELEMENTS, OPEN, OVER, OPEN_LINKS, SKIP, OPEN_PRE, SPACE, TAGS, STATE_FIELDS = range(11)
# Fields of an open element.
STACK_TAG, STACK_ELEMENT, STACK_FIELDS = range(3)

MAX_OPEN = 4096
"""Elements within each other that are followed; what is deeper belongs to the last of them."""
