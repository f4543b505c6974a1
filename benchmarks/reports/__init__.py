"""How many metrics a second pass from a driver's journal through the store into a reader's curves."""
