"""Loki's configuration: how long it keeps what. PURE.

Nothing is deleted unless the compactor's retention is enabled, whatever periods are stated.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from costs.usage.reading import days, entries, mapping, refuse, text
from costs.usage.records import Measure, Usage, UsageError
from platform_risk.core import looks

FORMAT = "loki-limits"
_MOST_NODES = 100_000
# Settings that no other tool's compactor or overrides have.
_OWN = frozenset({
    "retention_enabled", "retention_period", "retention_stream", "retention_delete_delay", "delete_request_store",
    "ingestion_rate_mb", "ingestion_burst_size_mb", "max_streams_per_user", "max_global_streams_per_user",
    "per_stream_rate_limit",
})  # fmt: skip


class _Plain(yaml.SafeLoader):
    """An alias can make a small text a huge tree, so nodes are counted with aliases expanded to none."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML has types for half of itself
            raise yaml.composer.ComposerError(None, None, "aliases are not taken here", event.start_mark)
        return super().compose_node(parent, index)


def parse(content: bytes) -> Any:
    """Raises UsageError with the line."""
    try:
        return yaml.load(text(content), Loader=_Plain)  # noqa: S506 - a SafeLoader that takes even less
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(
            "not_yaml", f"This is no YAML: {getattr(error, 'problem', None) or 'it cannot be read'}.",
            remedy="Correct the place; a Helm template has to be rendered first.",
            **({"line": mark.line + 1, "column": mark.column + 1} if mark else {}),
        ) from error  # fmt: skip
    except RecursionError:
        refuse(looks.too_deep(content))
        raise
    except ValueError as error:
        raise UsageError(
            "not_yaml", "This is no YAML that can be read.", remedy="Upload Loki’s configuration."
        ) from error


def is_loki(root: Any) -> bool:
    return isinstance(root, Mapping) and any(
        isinstance(root.get(name), Mapping) for name in ("limits_config", "compactor", "overrides")
    )


def is_unlike_others(root: Any) -> bool:
    """Whether it is Loki's where nobody said so: others have a compactor (Tempo, Thanos) or overrides (npm) too."""
    if not is_loki(root):
        return False
    if isinstance(root.get("limits_config"), Mapping):
        return True
    tenants = root.get("overrides")
    named = [root.get("compactor"), *(tenants.values() if isinstance(tenants, Mapping) else ())]
    return any(isinstance(each, Mapping) and not _OWN.isdisjoint(map(str, each)) for each in named)


def read(content: bytes) -> Usage:
    root = parse(content)
    if not is_loki(root):
        raise UsageError(
            "wrong_shape", "There is no limits_config, compactor or overrides in it.",
            remedy="Upload Loki’s configuration, or its file of overrides by tenant.",
        )  # fmt: skip
    usage = Usage(FORMAT, "loki")
    is_on = mapping(root, "compactor").get("retention_enabled") is True
    only_overrides = not mapping(root, "compactor") and not mapping(root, "limits_config")
    if not is_on and not only_overrides:
        usage.add(Measure.RETENTION_DAYS, None, note="compactor.retention_enabled is not true: nothing is deleted")
        return usage
    limits = mapping(root, "limits_config")
    if "retention_period" in limits:
        _period(usage, limits["retention_period"], "", "/limits_config/retention_period")
    elif not only_overrides:
        usage.notes.append("No retention_period is stated: the default depends on Loki’s version.")
    _streams(usage, limits, "", "/limits_config")
    for tenant, own in mapping(root, "overrides").items():
        if isinstance(own, Mapping):
            if "retention_period" in own:
                _period(usage, own["retention_period"], f"tenant {tenant}", f"/overrides/{tenant}/retention_period")
            _streams(usage, own, f"tenant {tenant} ", f"/overrides/{tenant}")
    return usage


def _streams(usage: Usage, limits: Mapping[str, Any], prefix: str, pointer: str) -> None:
    for at, stream in enumerate(entries(limits, "retention_stream")):
        place = f"{pointer}/retention_stream/{at}"
        selector = stream.get("selector") if isinstance(stream, Mapping) else None
        if not isinstance(selector, str):
            usage.reject(place, "It has no selector.", stream)
        else:
            _period(usage, stream.get("period"), f"{prefix}{selector}", f"{place}/period")


def _period(usage: Usage, value: Any, subject: str, pointer: str) -> None:
    kept = days(value)
    if kept is None:
        usage.reject(pointer, "It is no span of time, as 744h.", value)
    else:
        usage.add(Measure.RETENTION_DAYS, kept or None, subject, note="" if kept else "0 keeps for ever")
