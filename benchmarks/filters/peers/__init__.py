"""Other tools' rules on the same texts, in the environments of benchmarks/dataprep/peers; nothing of Seedbed is
imported."""
