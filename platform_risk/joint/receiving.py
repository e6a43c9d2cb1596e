"""The one way in for files: pages, API and the demo hand them in here."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from findings import configuration
from findings.scans import registry
from platform_risk.core.imports import services
from platform_risk.core.imports.destination import resolve
from platform_risk.core.models import Import, User
from platform_risk.core.tasks import run_import


def formats() -> frozenset[str]:
    """Names that a sender may state."""
    return frozenset((*registry.formats(), configuration.FORMAT))


def hand_in(upload: "UploadedFile[Any]", *, user: User, **names: Any) -> Import:
    """Stores the file and its row, and calls a worker after commit; `names` as `resolve` takes them.

    Robust: with the broker away the row still stands, and the sweeper finds it.
    """
    with transaction.atomic():
        received = services.receive(upload, resolve(user=user, formats=formats(), **names), user=user)
        enqueue(received)
    return received


def enqueue(row: Import) -> None:
    # Not partial: Django names a callback that failed by its __qualname__.
    transaction.on_commit(lambda: run_import.delay(row.pk), robust=True)
