"""Round steps for the axes of charts. PURE."""

import math


def round_scale(most: float, *, lines: int = 4, least: float = 1.0) -> tuple[float, float]:
    """(top, step): a step of 1, 2 or 5 times a power of ten, `least` or more, so that at most `lines` lines reach the
    highest value; the top is the first line that is not below it."""
    step = least
    while step * lines < most:
        digit = round(step / 10 ** math.floor(math.log10(step) + 1e-9))
        step *= 2.5 if digit == 2 else 2
    return max(step, math.ceil(most / step - 1e-9) * step), step
