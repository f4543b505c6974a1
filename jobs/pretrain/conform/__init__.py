"""Proof that a layout computes what one plain process computes: gradients, norms and weights, step by step."""
