"""What a label selector of Kubernetes selects. PURE."""

from collections.abc import Mapping
from typing import Any

from findings.platform.yaml_reader import Map, Seq


def selects(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether a label selector (matchLabels and matchExpressions) selects; an empty one selects everything, and one
    that is no selector nothing."""
    wanted = selector.get("matchLabels", {} if "matchExpressions" in selector else selector) or {}
    if not isinstance(wanted, Mapping):
        return False
    if any(labels.get(key) != value for key, value in wanted.items() if not isinstance(value, Map | Seq)):
        return False
    expressions = selector.get("matchExpressions") or Seq(0)
    return isinstance(expressions, Seq) and all(_holds(each, labels) for each in expressions)


def _holds(expression: Any, labels: Mapping[str, Any]) -> bool:
    if not isinstance(expression, Map):
        return False
    values = expression.get("values")
    listed = values if isinstance(values, Seq) else Seq(0)
    key = str(expression.get("key"))
    has, value = key in labels, labels.get(key)
    match expression.get("operator"):
        case "In":
            return value in listed
        case "NotIn":
            return not has or value not in listed
        case "Exists":
            return has
        case "DoesNotExist":
            return not has
    return False
