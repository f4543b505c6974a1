"""How many bands of how many rows suit a threshold."""

import functools

import numpy as np


@functools.cache
def optimal_bands(threshold: float, num_permutations: int, false_negative_weight: float) -> tuple[int, int]:
    """The bands and rows, of at most `num_permutations` minima together, with the least weighted error at `threshold`.

    Documents of similarity s share one of b bands of r rows with probability 1 - (1 - s^r)^b. The area under it below
    the threshold counts as false positives, the area above it from there on as false negatives; the weights of the two
    add up to 1. Of equal errors the fewest bands win, then the fewest rows. As datasketch's `MinHashLSH` chooses them
    (Zhu et al. 2016, section 4.3).
    """
    best, least_error = (1, 1), float("inf")
    nodes, weights = np.polynomial.legendre.leggauss(num_permutations // 2 + 1)  # exact up to the degree of s^(r b)
    below, above = threshold * (nodes + 1) / 2, threshold + (1 - threshold) * (nodes + 1) / 2
    for num_bands in range(1, num_permutations + 1):
        for rows in range(1, num_permutations // num_bands + 1):
            false_positives = weights @ (1 - (1 - below**rows) ** num_bands) * threshold / 2
            false_negatives = weights @ (1 - above**rows) ** num_bands * (1 - threshold) / 2
            error = float((1 - false_negative_weight) * false_positives + false_negative_weight * false_negatives)
            if error < least_error:
                best, least_error = (num_bands, rows), error
    return best
