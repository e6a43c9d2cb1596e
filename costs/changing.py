"""What changed between two months, and why: new, gone, price, volume. PURE.

Volume is what the other quantity would have cost at the old price; price is the rest. The four, and what cannot be
told apart because a bill names no quantity, add up to the change exactly.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from costs.money import EXACT, less

_ZERO, _STEP = Decimal(0), Decimal("0.000001")


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
        return less(self.after, self.before)

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
    moved = less(after, before)
    change.before = EXACT.add(change.before, before)
    change.after = EXACT.add(change.after, after)
    if key.before is None:
        change.new = EXACT.add(change.new, after)
    elif key.after is None:
        change.gone = less(change.gone, before)
    elif key.quantity_before and key.quantity_after is not None:
        grown = EXACT.divide(less(key.quantity_after, key.quantity_before), key.quantity_before)
        # To a millionth, and the price is the rest: the parts add up to the change, to its last digit.
        volume = EXACT.quantize(EXACT.multiply(grown, before), _STEP)
        change.volume = EXACT.add(change.volume, volume)
        change.price = EXACT.add(change.price, less(moved, volume))
    else:
        change.unknown = EXACT.add(change.unknown, moved)
