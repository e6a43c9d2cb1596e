"""What the core announces about the catalogue to whoever keeps derived data, without knowing who that is.

Callbacks are registered in AppConfig.ready() and called after the commit; one that fails (a broker that is down) is
logged and does not undo the change, so a callback's work must also be found by the app's own upkeep.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from platform_risk.core.models import User

Callback = Callable[[int | None], None]  # a service's id, or None: any service may be concerned

_ownership: list[Callback] = []
_default_branch: list[Callback] = []
FactsCallback = Callable[[int, "User", str], None]  # service id, who, why
_facts: list[FactsCallback] = []


def on_ownership_change(callback: Callback) -> None:
    """A service's team, an ownership rule or a team went or came: findings may belong to others now."""
    if callback not in _ownership:
        _ownership.append(callback)


def on_default_branch_change(callback: Callback) -> None:
    """The targets of this service were flipped in the same transaction; what repeats their flag has to follow."""
    if callback not in _default_branch:
        _default_branch.append(callback)


def on_facts_change(callback: FactsCallback) -> None:
    """What a service promises, is worth, or how critical it is, changed by somebody for a reason. Called within the
    change's transaction: figures that follow from it are never of another time."""
    if callback not in _facts:
        _facts.append(callback)


def facts_changed(service_id: int, user: "User", reason: str) -> None:
    for callback in _facts:
        callback(service_id, user, reason)


def ownership_changed(service_id: int | None) -> None:
    _announce(_ownership, service_id)


def default_branch_changed(service_id: int) -> None:
    _announce(_default_branch, service_id)


def _announce(callbacks: list[Callback], service_id: int | None) -> None:
    for callback in callbacks:
        # Not functools.partial: Django logs a failed callback by its name, and a partial has none.
        def announce(callback: Callback = callback) -> None:
            callback(service_id)

        transaction.on_commit(announce, robust=True)
