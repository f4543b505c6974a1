"""How quickly the dashboard's pages come with many runs, many input shards and many metric points."""
