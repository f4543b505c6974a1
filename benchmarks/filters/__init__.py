"""The filter families on real pages: how fast they are, and whether they are what the papers say."""
