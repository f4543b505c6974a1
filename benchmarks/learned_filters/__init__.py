"""The n-gram model and the quality classifier on real text: what they tell apart, and how fast."""
