"""Loki's configuration: how long it keeps what. PURE.

Nothing is deleted unless the compactor's retention is enabled, whatever periods are stated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from costs.usage.reading import days, entries, mapping, refuse, text
from costs.usage.records import Measure, Usage, UsageError
from platform_risk.core import looks

FORMAT = "loki-limits"
Place = tuple[str | int, ...]
_MOST_NODES = 100_000
# Settings that no other tool's compactor or overrides have.
_OWN = frozenset({
    "retention_enabled", "retention_period", "retention_stream", "retention_delete_delay", "delete_request_store",
    "ingestion_rate_mb", "ingestion_burst_size_mb", "max_streams_per_user", "max_global_streams_per_user",
    "per_stream_rate_limit",
})  # fmt: skip


_BEGINS = re.compile(rb"^(?:limits_config|compactor|overrides)[ \t]*:", re.M)


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
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(
            "not_yaml", f"This is no YAML{where}: {getattr(error, 'problem', None) or 'it cannot be read'}.",
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


def looks_like_it(content: bytes) -> bool:
    """Whether a text that is no YAML was to be Loki's: it has the sections, and settings that nobody else has."""
    return _BEGINS.search(content) is not None and any(name.encode() in content for name in _OWN)


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
    told = _Told(usage, content)
    limits = mapping(root, "limits_config")
    if "retention_period" not in limits and not only_overrides:
        usage.notes.append("No retention_period is stated: the default depends on Loki’s version.")
    told.limits(limits, ("limits_config",))
    for tenant, own in mapping(root, "overrides").items():
        if isinstance(own, Mapping):
            told.limits(own, ("overrides", tenant), f"tenant {tenant}")
        elif own is not None:
            told.reject(("overrides", tenant), f"Tenant {tenant} has no settings by name.", own)
    return usage


@dataclass
class _Told:
    """What is read from the file, and what of it cannot be used, with its line."""

    usage: Usage
    content: bytes

    def limits(self, limits: Mapping[str, Any], place: Place, tenant: str = "") -> None:
        """Of all tenants, or of one."""
        if "retention_period" in limits:
            self.period(limits["retention_period"], tenant, (*place, "retention_period"))
        streams = limits.get("retention_stream")
        if streams is not None and not isinstance(streams, list):
            self.reject((*place, "retention_stream"), "It is no list of streams.", streams)
        for at, stream in enumerate(entries(limits, "retention_stream")):
            here: Place = (*place, "retention_stream", at)
            selector = stream.get("selector") if isinstance(stream, Mapping) else None
            if not isinstance(selector, str):
                self.reject(here, "It has no selector.", stream)
            else:
                self.period(stream.get("period"), f"{tenant} {selector}".strip(), (*here, "period"))

    def period(self, value: Any, subject: str, place: Place) -> None:
        kept = days(value)
        if kept is None:
            of = f" of {subject}" if subject else ""
            self.reject(place, f"The period{of} is no span of time with its unit, as 744h.", value)
        else:
            self.usage.add(Measure.RETENTION_DAYS, kept or None, subject, note="" if kept else "0 keeps for ever")

    def reject(self, place: Place, reason: str, value: Any) -> None:
        self.usage.reject("/" + "/".join(map(str, place)), reason, value, _line(self._root, place))

    @cached_property
    def _root(self) -> Any:
        """Read once more with the lines, where something has to be found."""
        return yaml.compose(text(self.content), Loader=_Plain)


def _line(node: Any, place: Place) -> int:
    """Where it stands, or the last of it that is there."""
    for name in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(name, int):
            node = node.value[name]
            continue
        found = [value for key, value in getattr(node, "value", ()) if str(key.value) == str(name)]
        if not found:
            break
        node = found[-1]  # of a key that comes twice, the last one counts
    return int(node.start_mark.line) + 1
