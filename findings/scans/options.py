"""What a format is given and what it answers when asked whether a file is its own. PURE."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Match:
    """How sure (0 to 1) a format is that a file is its own, and why; `missing` says what it would have needed."""

    confidence: float
    reason: str
    missing: str = ""


def _no_mapping(signature: str) -> dict[str, str] | None:
    return None


@dataclass(frozen=True)
class Options:
    max_depth: int = 200
    # Header signature → remembered columns (our field → column), or None.
    mapping_for: Callable[[str], dict[str, str] | None] = _no_mapping
