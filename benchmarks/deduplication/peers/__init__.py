"""Other tools on the same texts, in an environment of their own; of this checkout they import only
`benchmarks.contest.meter` and what is here."""
