"""Immutable records that are made by the thousand. PURE."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

__all__ = ["record"]

if TYPE_CHECKING:
    from dataclasses import dataclass as record  # so that the type checker refuses to change one
else:
    T = TypeVar("T")

    def record(*, frozen: bool, slots: bool = False) -> Callable[[type[T]], type[T]]:
        """`@record(frozen=True)` is `@dataclass(frozen=True)` that the type checker alone holds to.

        A frozen dataclass sets each of its fields by a call of its own: it takes four times as long to make, and a scan
        makes ten thousands. Nothing refuses a change at run time, so it is for values that only typed code sees.
        """
        assert frozen, "a record that changes is a dataclass"
        return dataclass(slots=slots, unsafe_hash=True)
