"""Data preparation on one core, beside other tools on the same files in the same run.

    inputs (one set of files for all) -> contenders, in turn, each a process pinned to a core -> medians, ratios, table

Reading order: `inputs`, `meter` (what a contender prints), `seedbed_pipeline`, `seedbed_filters`, `seedbed_clean`,
`bare_extraction`, `reading`, `two_workers`, the tools in peers/, `contest` (rounds and medians), `cases` (who meets
whom), `__main__`.
"""
