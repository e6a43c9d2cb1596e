"""Which names match. Regular expressions of an upload are lists of names with wildcards: they are never run. PURE."""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

_WILD = re.compile(r"\.[*+]|\(-?\[0-9\]\+\)\?|\[0-9\]\+|\\d\+|\(\.[*+]\)")
_MOST_WILDCARDS = 5


@lru_cache(maxsize=4096)
def globs(pattern: str) -> tuple[str, ...] | None:
    """`api|web-.*` as api and web-*; None for an expression that is more than that."""
    pattern = pattern.removeprefix("^").removesuffix("$")
    if pattern.startswith("(?:") and pattern.endswith(")") and pattern.count("(") == 1:
        pattern = pattern[3:-1]
    parts = _WILD.sub("*", pattern).split("|")
    if len(parts) > 1 and parts[0].startswith("(") and parts[-1].endswith(")"):
        parts[0], parts[-1] = parts[0][1:], parts[-1][:-1]
    if not all(re.fullmatch(r"[\w.:/*-]*", part) and part.count("*") <= _MOST_WILDCARDS for part in parts):
        return None
    return tuple(parts)


def of_names(pattern: str) -> Callable[[str], bool]:
    """Whether a name matches one of our own expressions as a whole. A platform has few names and many services that use
    them: each is tried once."""
    compiled = re.compile(pattern)

    @lru_cache(maxsize=4096)
    def matches(name: str) -> bool:
        return compiled.fullmatch(name) is not None

    return matches


def matches_any(parts: Iterable[str], names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, part) for part in parts for name in names)
