"""Setting fields on a row with validation in the product's words, and saying what changed from what to what."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction

from platform_risk.core.errors import Conflict, Refused

Changes = dict[str, list[Any]]


def _said(value: Any) -> Any:
    """As the audit keeps it: JSON's own types; a row by its name."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(getattr(value, "slug", value))


def _same(old: Any, new: Any) -> bool:
    return bool(old == new)


def set_fields(row: models.Model, fields: Mapping[str, Any]) -> Changes:
    """Sets what differs, checks the whole row and saves it. Raises Refused with the field that is wrong."""
    changes: Changes = {}
    for name, value in fields.items():
        old = getattr(row, name)
        if not _same(old, value):
            changes[name] = [_said(old), _said(value)]
            setattr(row, name, value)
    if changes:
        save(row, list(changes))
    return changes


def save(row: models.Model, changed: list[str] | None = None) -> None:
    """Inserts (no `changed`) or updates a row that passes its model's checks."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Refused(" ".join(messages), field="" if field == "__all__" else field) from error
    try:
        with transaction.atomic():
            row.save(force_insert=changed is None, update_fields=changed)
    except IntegrityError as error:
        raise Refused("Somebody else has just taken this name: choose another.") from error


def delete(row: models.Model, otherwise: str) -> None:
    """Deletes a row and what goes with it; Conflict(otherwise) when something still points at it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # a load in the same transaction has them checked at once
            row.delete()
            # Django's foreign keys are checked at commit: here there is still somebody who can say it in words.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except (IntegrityError, models.ProtectedError) as error:
        raise Conflict(otherwise) from error


def detach(row: models.Model) -> None:
    """Clears every reference that deleting the row would clear, first: what watches those rows (the rollups of
    findings) then still finds the row that they are taken from."""
    for relation in row._meta.related_objects:
        if relation.on_delete is models.SET_NULL:
            name = relation.field.name
            relation.related_model._base_manager.filter(**{name: row}).update(**{name: None})
