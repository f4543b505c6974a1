"""Other tools on the same files.

Each runs in an environment of its own (`<name>.txt` says what is in it) and imports nothing of Seedbed but
`benchmarks.contest.meter`.
"""
