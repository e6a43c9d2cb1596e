"""The core's tables, in one place for Django; each family of them has a module of its own."""

from platform_risk.core.access.models import AuditEvent, IdempotencyKey, Membership, Role, SavedView, Token, User
from platform_risk.core.catalog.models import Criticality, Environment, OwnershipRule, Service, Target, Team
from platform_risk.core.facts.models import Fact, FactSource
from platform_risk.core.imports.models import ColumnMapping, Import, ImportKind, ImportReject, ImportState, Scope

__all__ = [
    "AuditEvent",
    "ColumnMapping",
    "Criticality",
    "Environment",
    "Fact",
    "FactSource",
    "IdempotencyKey",
    "Import",
    "ImportKind",
    "ImportReject",
    "ImportState",
    "Membership",
    "OwnershipRule",
    "Role",
    "SavedView",
    "Scope",
    "Service",
    "Target",
    "Team",
    "Token",
    "User",
]
