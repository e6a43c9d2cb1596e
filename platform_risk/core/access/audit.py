"""Writing down who changed what, beside the change and in its transaction."""

from typing import Any

from platform_risk.core.models import AuditEvent, User


def record(
    actor: User | None,
    action: str,
    kind: str,
    object_id: Any,
    label: str,
    *,
    changes: dict[str, list[Any]] | None = None,
    reason: str = "",
) -> AuditEvent:
    return AuditEvent.objects.create(
        actor=actor,
        actor_name=actor.get_username() if actor else "system",
        action=action,
        kind=kind,
        object_id=str(object_id),
        label=label[:250],
        changes=changes or {},
        reason=reason[:2000],
    )
