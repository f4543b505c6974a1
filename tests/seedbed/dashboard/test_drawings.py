from seedbed.dashboard.drawings import GAP_X, MARGIN, NODE_WIDTH, funnel, graph, histogram, sparkline
from seedbed.survey import Distribution

CHAIN = {"a": [], "b": ["a"], "c": ["a", "b"], "side": ["b"], "d": ["c", "side"]}


def test_steps_stand_in_layers_and_shortcuts_are_left_out():
    drawn = graph(CHAIN)
    at = {node.name: (node.x, node.y) for node in drawn.nodes}
    column = NODE_WIDTH + GAP_X
    assert [at[name][0] for name in "abcd"] == [MARGIN + n * column for n in range(4)]
    assert at["c"][0] == at["side"][0]
    assert at["c"][1] != at["side"][1]
    assert {(start, end) for start, end, _ in drawn.arrows} == {
        ("a", "b"), ("b", "c"), ("b", "side"), ("c", "d"), ("side", "d"),
    }  # fmt: skip


def test_a_long_chain_goes_on_in_the_next_row():
    names = [f"s{n}" for n in range(8)]
    drawn = graph({name: names[n - 1 : n] if n else [] for n, name in enumerate(names)})
    at = {node.name: (node.x, node.y) for node in drawn.nodes}
    assert at["s6"][0] == at["s0"][0]
    assert at["s6"][1] > at["s0"][1]
    assert max(x for x, _ in at.values()) + NODE_WIDTH == drawn.width


def step(kind, came, went, **dropped):
    return {"kind": kind, "records_in": came, "records_out": went, "dropped": dropped}


def test_the_funnel_is_drawn_over_what_was_read():
    bars = funnel([step("extract", 10, 8, empty=2), step("select", 8, 5, few=1, many=2)], ("extract", "select"))
    assert [(part.reason, part.records, part.start, part.width) for part in bars[1].parts] == [
        (None, 5, 0.0, 0.5),
        ("many", 2, 0.5, 0.2),
        ("few", 1, 0.7, 0.1),
    ]


def test_the_funnel_ends_where_a_step_is_not_done():
    steps = [step("extract", 10, 8), {"kind": "select", "records_in": None}, step("deduplicate", 1, 1)]
    assert [bar.step for bar in funnel(steps, ("extract", "select", "deduplicate"))] == ["extract"]


def test_a_sparkline_fills_its_box():
    assert sparkline([(0, 3.0), (5, 1.0), (10, 2.0)], 100, 20) == "0.0,0.0 50.0,20.0 100.0,10.0"
    assert sparkline([(0, 3.0)], 100, 20) == ""
    assert sparkline([(0, 1.0), (1, 1.0)], 10, 10) == "0.0,10.0 10.0,10.0"


def test_a_histogram_stacks_what_fails_below_what_passes():
    drawn = histogram(Distribution("few", 2.0, (0.0, 2.0, 4.0), (0, 3), (1, 0), False), 100, 30)
    assert [(bin.x, bin.passed, bin.failed) for bin in drawn.bins] == [(0.0, 0.0, 10.0), (50.0, 30.0, 0.0)]
    assert drawn.threshold_x == 50.0
