"""Every check, one line each, in the order in which they are told. PURE."""

from findings.checks import autoscaling
from findings.checks.base import Check

CHECKS: dict[str, Check] = {module.META.id: Check(module.META, module.run) for module in (autoscaling,)}
