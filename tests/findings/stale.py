"""Whether figures are those of what is stated now."""

from findings import estimating
from findings.models import Estimate


def stale() -> list[int]:
    """Keys of figures that come out otherwise when they are computed again."""
    rows = list(Estimate.objects.order_by("key"))
    kept = [row.input_hash for row in rows]
    estimating.compute(rows)
    return [row.key for row, before in zip(rows, kept, strict=True) if row.input_hash != before]
