"""Enumerations of the core as plain lists: the schema names its enums by them (ENUM_NAME_OVERRIDES)."""

from platform_risk.core.access.models import Role, TokenScope
from platform_risk.core.catalog.models import Criticality, OwnershipRule
from platform_risk.core.imports.destination import COMPLETE as _COMPLETE
from platform_risk.core.imports.models import ImportKind, ImportState

IMPORT_KINDS = list(ImportKind.values)
IMPORT_STATES = list(ImportState.values)
COMPLETE = list(_COMPLETE)
CRITICALITIES = list(Criticality.values)
RULE_KINDS = list(OwnershipRule.Kind.values)
ROLES = list(Role.values)
TOKEN_SCOPES = list(TokenScope.values)
