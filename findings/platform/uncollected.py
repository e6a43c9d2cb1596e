"""Work that makes many objects and none that refer to one another in circles. PURE."""

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_MUCH = 50_000  # objects


def uncollected(work: Callable[P, T]) -> Callable[P, T]:
    """Without the collector of circles, which would walk all that was read again and again and find nothing: a tenth
    of the time of a scan. What is no longer referred to is freed all the same."""

    @wraps(work)
    def paused(*args: P.args, **kwargs: P.kwargs) -> T:
        if not gc.isenabled():
            return work(*args, **kwargs)
        gc.disable()
        try:
            return work(*args, **kwargs)
        finally:
            # All that was made counts as old: else the first collection would walk through it at once. What a server
            # has set aside stays so; to ask for that walks through it, which is not worth it after little.
            if gc.get_count()[0] > _MUCH and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()

    return paused
