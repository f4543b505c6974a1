"""How a quantity grows with another: the slope in logarithms."""

from collections.abc import Sequence

import numpy as np


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The b of y = a x^b by least squares over logarithms: 1 where twice as much takes twice as long."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
