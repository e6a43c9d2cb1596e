"""Bands of a matrix, and where a risk stands in one. Needs no numpy, as the command line wants it. PURE."""

from dataclasses import dataclass
from enum import StrEnum


class Band(StrEnum):
    """Order matters: the first is the least."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Placed:
    likelihood: int
    impact: int
    band: Band
