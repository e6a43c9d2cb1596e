"""Elasticsearch: what indices hold, and which lifecycle deletes them. PURE."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from costs.usage.reading import days, entries, json, mapping, size
from costs.usage.records import Measure, Usage, UsageError

INDICES, ILM = "elasticsearch-indices", "elasticsearch-ilm"
_DATED = re.compile(r"(?:\.ds-)?(.*?)[-_.](\d{4})[.-](\d{2})[.-](\d{2})(?:[-_.]\d+)?\Z")


def read_indices(content: bytes) -> Usage:
    """store.size has replicas and is what the disks hold; pri.store.size is what came in, once."""
    root = json(content)
    rows = root if isinstance(root, list) else []
    if not rows or not any(isinstance(row, Mapping) and "index" in row for row in rows):
        raise UsageError(
            "wrong_shape",
            "This is no list of indices.",
            remedy="Save the answer of GET /_cat/indices?format=json&bytes=b.",
        )
    usage = Usage(INDICES, "elasticsearch")
    for at, row in enumerate(rows):
        name = row.get("index") if isinstance(row, Mapping) else None
        if not isinstance(name, str):
            usage.reject(f"/{at}", "It has no index.", row)
            continue
        stored, primary = size(row.get("store.size")), size(row.get("pri.store.size"))
        if stored is None:
            usage.reject(f"/{at}/store.size", "It has no size: a closed index has none.", row)
            continue
        group, on = _dated(name)
        note = "" if str(row.get("store.size")).isdigit() else "rounded: ask with bytes=b"
        usage.add(Measure.STORED_BYTES, stored, name, note=note)
        if primary is not None:
            usage.add(Measure.PRIMARY_BYTES, primary, name, note=note)
            if on is not None:
                usage.add(Measure.INGESTED_BYTES, primary, group, day=on, note="from the size of the day’s index")
    return usage


def _dated(name: str) -> tuple[str, date | None]:
    """logs-app-2026.06.01 → (logs-app, the day); a data stream's backing indices too."""
    found = _DATED.match(name)
    if found is None:
        return name, None
    try:
        return found[1], date(int(found[2]), int(found[3]), int(found[4]))
    except ValueError:
        return name, None


def stream_of(index: str) -> str:
    """What the days of an index are days of."""
    return _dated(index)[0]


def is_ilm(root: Mapping[str, Any]) -> bool:
    """Policies by name, or one: with phases, as no other tool's have."""
    return any(mapping(mapping(each, "policy"), "phases") for each in (root, *root.values()))


def read_ilm(content: bytes) -> Usage:
    """min_age of the delete phase counts from rollover, not from creation; without that phase nothing is deleted."""
    root = json(content)
    policies = (
        {name: body for name, body in root.items() if mapping(body, "policy")} if isinstance(root, Mapping) else {}
    )
    if isinstance(root, Mapping) and mapping(root, "policy"):
        policies = {"": root}
    if not policies:
        raise UsageError("wrong_shape", "There is no policy in it.", remedy="Save the answer of GET /_ilm/policy.")
    usage = Usage(ILM, "elasticsearch")
    for name, body in policies.items():
        phases = mapping(mapping(body, "policy"), "phases")
        kept = _kept(usage, name, phases)
        if kept is False:
            continue
        usage.add(Measure.RETENTION_DAYS, kept, name, note=_rollover(phases))
        for index in entries(mapping(body, "in_use_by"), "indices"):
            usage.add(Measure.RETENTION_DAYS, kept, str(index), note=f"policy {name}")
    return usage


def _kept(usage: Usage, name: str, phases: Mapping[str, Any]) -> Decimal | bool | None:
    """Days, None for ever, False for what cannot be read."""
    if not isinstance(phases.get("delete"), Mapping):
        return None
    age = days(phases["delete"].get("min_age", "0ms"))
    if age is None:
        usage.reject(f"/{name}/policy/phases/delete/min_age", "It is no span of time, as 30d.", phases["delete"])
        return False
    return age


def _rollover(phases: Mapping[str, Any]) -> str:
    rollover = mapping(mapping(mapping(phases, "hot"), "actions"), "rollover")
    age = rollover.get("max_age") or rollover.get("max_primary_shard_size") or rollover.get("max_size")
    return f"counted from rollover at {age}" if age else ""
