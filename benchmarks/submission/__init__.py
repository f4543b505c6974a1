"""How long it takes from `seedbed submit` to the first optimizer step, part by part."""
