"""Every check, one line each, in the order in which they are told. PURE."""

from findings.checks import (
    autoscaling,
    db_connections,
)
from findings.checks.base import Check

_MODULES = (
    db_connections,  # 1.3
    autoscaling,  # 3.2
)

CHECKS: dict[str, Check] = {module.META.id: Check(module.META, module.run) for module in _MODULES}
