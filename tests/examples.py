"""How many examples Hypothesis tries: a few dozen in each run of the suite, up to forty times as many in the drill.

To look for what is rare takes processor time that every `make test` would pay; `make drill` runs the same properties
with this variable set.
"""

import os

DEEP = bool(os.environ.get("PLATFORM_RISK_TESTS_DEEP"))


def examples(number: int) -> int:
    return number * 10 if DEEP else max(number // 4, min(number, 5))
