"""Who loads what: each app hands its loaders over in AppConfig.ready(), so the core never imports an app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platform_risk.core.imports.runner import Job

# Applies the import's file in one transaction of its own and finishes the row inside it (Job.finish).
Loader = Callable[["Job"], None]
# Puts the scope back to before the import; runs in the caller's transaction, under the target's lock.
Undoer = Callable[[int], None]

# Whether an import is the last applied one of its scopes, for kinds whose scopes are the app's own.
IsLast = Callable[[int], bool]


@dataclass(frozen=True)
class _Registered:
    load: Loader
    undo: Undoer
    is_last: IsLast | None


_loaders: dict[str, _Registered] = {}


def register(kind: str, *, load: Loader, undo: Undoer, is_last: IsLast | None = None) -> None:
    """With `is_last` the kind has scopes of its own instead of `core.Scope`: its undoer takes its own lock and raises
    Conflict when the import is not the last one."""
    _loaders[kind] = _Registered(load, undo, is_last)


def loader_of(kind: str) -> Loader | None:
    return _loaders[kind].load if kind in _loaders else None


def undoer_of(kind: str) -> Undoer:
    return _loaders[kind].undo


def is_last_of(kind: str) -> IsLast | None:
    return _loaders[kind].is_last if kind in _loaders else None


class ImportFailedError(Exception):
    """The file cannot be used: what, where, and what to do about it. Ends the import as failed."""

    def __init__(self, code: str, message: str, *, remedy: str, location: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.remedy, self.location = code, message, remedy, location or {}


class ImportCancelledError(Exception):
    """Somebody asked for it to stop."""


class LeaseLostError(Exception):
    """Another worker has taken the import over: whatever this one did must not count."""
