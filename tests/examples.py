"""How many examples Hypothesis tries: enough to notice in every run of the suite, and forty times as many in the drill.

Hundreds of examples for each of a hundred properties take a minute of processor time, and find what a few dozen do
not only after weeks: that is a search, and `make drill` makes it, with this variable set.
"""

import os

DEEP = bool(os.environ.get("PLATFORM_RISK_TESTS_DEEP"))


def examples(number: int) -> int:
    return number * 10 if DEEP else max(number // 4, min(number, 5))
