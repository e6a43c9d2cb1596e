"""Scaling policies as application configuration spells them: `scale_up:` with `period_seconds`. PURE."""

from collections.abc import Iterator
from typing import Any

from findings.platform.config_files import ConfigFile
from findings.platform.model import Autoscaler
from findings.platform.nodes import mapping
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_NAMES = {"period_seconds": "periodSeconds", "stabilization_window_seconds": "stabilizationWindowSeconds",
          "select_policy": "selectPolicy"}  # fmt: skip


def autoscalers(configs: list[ConfigFile]) -> Iterator[Autoscaler]:
    for config in configs:
        for holder in _holders(config.root, 0) if "scale_up" in config.keys else ():
            place = config.place(holder.lines["scale_up"])
            spec = Map(holder.line)
            behaviour = Map(holder.line)
            behaviour["scaleUp"] = _renamed(holder["scale_up"])
            behaviour.lines["scaleUp"] = holder.lines["scale_up"]
            spec["behavior"] = behaviour
            spec.lines["behavior"] = holder.lines["scale_up"]
            low = _count(config, holder, "min_replicas", place)
            high = _count(config, holder, "max_replicas", place)
            yield Autoscaler(None, "", low, high, place, spec)


def _holders(node: Any, depth: int) -> Iterator[Map]:
    if depth > 8:
        return
    if isinstance(node, Map):
        if mapping(node, "scale_up").get("policies") is not None:
            yield node
        for value in node.values():
            yield from _holders(value, depth + 1)
    elif isinstance(node, Seq):
        for value in node:
            yield from _holders(value, depth + 1)


def _renamed(node: Any) -> Any:
    if isinstance(node, Map):
        made = Map(node.line)
        for key, value in node.items():
            name = _NAMES.get(key, key)
            made[name] = _renamed(value)
            made.lines[name] = node.lines[key]
        return made
    if isinstance(node, Seq):
        listed = Seq(node.line)
        listed.extend(_renamed(value) for value in node)
        listed.lines = list(node.lines)
        return listed
    return node


def _count(config: ConfigFile, holder: Map, name: str, place: Place) -> Sourced[int] | Unknown:
    value = holder.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return Sourced(value, Source.FILE, config.place(holder.lines[name]))
    return Unknown(f"{name} is not stated beside scale_up", f"{name} beside scale_up", place)
