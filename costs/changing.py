"""What changed between two months, and why: new, gone, price, volume. PURE.

Volume is what the other quantity would have cost at the old price; price is the rest. The four, and what cannot be
told apart because a bill names no quantity, add up to the change exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

_ZERO = Decimal(0)


@dataclass(frozen=True)
class KeyChange:
    """One key of the cube in two months; None where it had no charge in one of them."""

    name: str
    before: Decimal | None
    after: Decimal | None
    quantity_before: Decimal | None = None
    quantity_after: Decimal | None = None


@dataclass
class Change:
    """One name's change, taken apart."""

    name: str
    before: Decimal = _ZERO
    after: Decimal = _ZERO
    new: Decimal = _ZERO
    gone: Decimal = _ZERO
    price: Decimal = _ZERO
    volume: Decimal = _ZERO
    unknown: Decimal = field(default=_ZERO)

    @property
    def change(self) -> Decimal:
        return self.after - self.before

    @property
    def percent(self) -> Decimal | None:
        return None if not self.before else self.change / abs(self.before) * 100


def taken_apart(keys: Iterable[KeyChange]) -> list[Change]:
    """By name, the largest change first."""
    found: dict[str, Change] = {}
    for key in keys:
        change = found.setdefault(key.name, Change(key.name))
        _add(change, key)
    return sorted(found.values(), key=lambda change: (-abs(change.change), change.name))


def _add(change: Change, key: KeyChange) -> None:
    before, after = key.before or _ZERO, key.after or _ZERO
    change.before += before
    change.after += after
    if key.before is None:
        change.new += after
    elif key.after is None:
        change.gone -= before
    elif key.quantity_before and key.quantity_after is not None:
        volume = (key.quantity_after - key.quantity_before) * before / key.quantity_before
        change.volume += volume
        change.price += after - before - volume
    else:
        change.unknown += after - before
