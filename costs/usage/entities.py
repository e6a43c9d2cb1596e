"""Pods and entities that exist: one list, or several over time. PURE.

Several lists are one JSON document a line (or a list of them), each {"observed_at": time, "items": […]}; what is in one
and was not in the one before has come in between. Of lists that are handed in one by one, what was created after the
one before has. From lists alone nobody knows what came and went between two of them, so arrivals are at least as many
as these.
"""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from costs.usage.reading import entries, json, mapping, moment, text
from costs.usage.records import Measure, Usage, UsageError

PODS, ENTITIES = "kubernetes-pods", "entities"
DELIMITERS = ",;\t"
_ENDED = ("Succeeded", "Failed")
_MOST_DAYS = 800
ONE_LIST = "One list alone shows how many there are, not how many come and go: hand in another on another day."


@dataclass(frozen=True)
class Snapshot:
    at: datetime | None
    items: list[Any]


def is_pods(root: Any) -> bool:
    """Whether it is a pod or a list of nothing else: a list of other objects is configuration."""
    if not isinstance(root, Mapping):
        return False
    if root.get("kind") in ("Pod", "PodList"):
        return True
    items = root.get("items")
    return isinstance(items, list) and all(
        not isinstance(each, Mapping) or each.get("kind", "Pod") == "Pod" for each in items
    )


def _snapshots(content: bytes) -> list[Snapshot]:
    """One document, a list of documents, or one document a line."""
    lines = [line for line in content.split(b"\n") if line.strip()]
    if len(lines) > 1 and all(line.lstrip()[:1] == b"{" for line in lines[:3]) and lines[0].rstrip().endswith(b"}"):
        found = []
        for at, line in enumerate(lines, start=1):
            try:
                found.append(_snapshot(json(line)))
            except UsageError as error:
                error.location["line"] = at
                raise
        return found
    root = json(content)
    if isinstance(root, list) and root and all(isinstance(each, Mapping) and "items" in each for each in root):
        return [_snapshot(each) for each in root]
    return [_snapshot(root)]


def _snapshot(root: Any) -> Snapshot:
    items = entries(root, "items")
    if not items and isinstance(root, Mapping) and root.get("kind") == "Pod":
        items = [root]
    stated = root.get("observed_at") or root.get("time") if isinstance(root, Mapping) else None
    return Snapshot(moment(stated) if isinstance(stated, str) else None, items)


def read_pods(content: bytes) -> Usage:
    snapshots = _snapshots(content)
    items = [each for snapshot in snapshots for each in snapshot.items]
    if not any(mapping(each, "metadata") for each in items):
        raise UsageError(
            "wrong_shape", "There are no pods in it.", pointer="/items",
            remedy="Save the answer of `kubectl get pods --all-namespaces --output json`.",
        )  # fmt: skip
    usage = Usage(PODS, "kubernetes")
    seen: list[tuple[datetime | None, dict[str, datetime | None]]] = []
    namespaces: Counter[str] = Counter()
    for number, snapshot in enumerate(snapshots):
        live: dict[str, datetime | None] = {}
        for at, pod in enumerate(snapshot.items):
            meta = mapping(pod, "metadata")
            name = meta.get("uid") or f"{meta.get('namespace', '')}/{meta.get('name', '')}"
            if not isinstance(pod, Mapping) or pod.get("kind", "Pod") != "Pod" or not meta.get("name"):
                usage.reject(f"/items/{at}", "It is no pod.", pod)
            elif mapping(pod, "status").get("phase") not in _ENDED:
                live[str(name)] = moment(meta.get("creationTimestamp"))
                if number == len(snapshots) - 1:
                    namespaces[str(meta.get("namespace", "default"))] += 1
        seen.append((snapshot.at, live))
    usage.observed_at = seen[-1][0]
    usage.add(Measure.PODS, len(seen[-1][1]))
    for namespace, count in namespaces.most_common():
        usage.add(Measure.PODS, count, namespace)
    if len(seen) == 1:
        usage.births = [born for born in seen[0][1].values() if born is not None]
    _arrivals(usage, seen)
    return usage


def add_arrivals(usage: Usage, before: datetime, at: datetime) -> None:
    """Of a list taken `at`, when an earlier one was taken `before`: arrivals a day, for the day of this one."""
    days = Decimal(str((at - before).total_seconds())) / 86_400
    if days <= 0:
        return
    new = sum(before < born <= at for born in usage.births)
    usage.add(
        Measure.ENTITIES_NEW, Decimal(new) / days, day=at.date(),
        note=f"at least: created since the list of {before:%Y-%m-%d %H:%M} and still there",
    )  # fmt: skip
    usage.notes = [note for note in usage.notes if note != ONE_LIST]


def _arrivals(usage: Usage, seen: list[tuple[datetime | None, dict[str, datetime | None]]]) -> None:
    """From several lists with their times: arrivals a day, and the mean life as those that exist ÷ arrivals."""
    dated = sorted(((at, live) for at, live in seen if at is not None), key=lambda each: each[0])
    if len(dated) < 2:
        usage.notes.append(ONE_LIST)
        return
    span = Decimal((dated[-1][0] - dated[0][0]).total_seconds()) / 86_400
    new = sum(len(set(after) - set(before)) for (_, before), (_, after) in itertools.pairwise(dated))
    if span <= 0:
        return
    churn = Decimal(new) / span
    usage.add(Measure.ENTITIES_NEW, churn, note=f"over {len(dated)} lists in {span.quantize(Decimal('0.1'))} days")
    if new:
        mean = Decimal(sum(len(live) for _, live in dated)) / len(dated)
        usage.add(Measure.LIFETIME_DAYS, mean / churn, note="those that exist ÷ arrivals a day")


def read_entities(content: bytes) -> Usage:
    """New Relic's entity search, or a table of id, first_seen and last_seen."""
    if content.lstrip()[:1] in (b"{", b"["):
        return _search(json(content))
    return _lives(content)


def _search(root: Any) -> Usage:
    usage = Usage(ENTITIES, "newrelic")
    found = list(_entities(root))
    if not found:
        raise UsageError(
            "wrong_shape", "There are no entities in it.", pointer="/data/actor/entitySearch/results/entities",
            remedy="Save NerdGraph’s answer to entitySearch with guid, type and reporting, or a CSV with the columns "
            "id, first_seen and last_seen.",
        )  # fmt: skip
    kinds: Counter[str] = Counter()
    dead = 0
    for at, entity in enumerate(found):
        if not entity.get("guid"):
            usage.reject(f"/entities/{at}", "It has no guid.", entity)
            continue
        kinds[str(entity.get("type") or entity.get("entityType") or "")] += 1
        dead += entity.get("reporting") is False
    usage.add(Measure.ENTITIES, sum(kinds.values()))
    usage.add(Measure.ENTITIES_DEAD, dead)
    for kind, count in kinds.most_common():
        if kind:
            usage.add(Measure.ENTITIES, count, kind)
    return usage


def _entities(node: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > 12 or not isinstance(node, Mapping):
        return
    for name, value in node.items():
        if name == "entities" and isinstance(value, list):
            yield from (each for each in value if isinstance(each, Mapping))
        else:
            yield from _entities(value, depth + 1)


def _lives(content: bytes) -> Usage:
    body = text(content)
    delimiter = max(DELIMITERS, key=body.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    usage = Usage(ENTITIES, "entities")
    lives: list[tuple[date, date | None]] = []
    ended: list[Decimal] = []
    try:
        columns = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
        if not {"id", "first_seen", "last_seen"} <= set(columns):
            raise UsageError(
                "wrong_shape", "Its columns are not id, first_seen and last_seen.", line=1,
                remedy="Name the columns id, first_seen, last_seen (empty: it still exists), and perhaps type.",
            )  # fmt: skip
        for row in reader:
            begins, ends = row[columns["first_seen"]] or "", row[columns["last_seen"]] or ""
            first, last = moment(begins), moment(ends)
            if (wrong := _wrong(row[columns["id"]], first, last, ends)) or first is None:
                usage.reject(f"line {reader.line_num}", wrong, row, reader.line_num)
                continue
            lives.append((first.date(), last.date() if last else None))
            if last is not None:
                ended.append(
                    _life(first, last, is_by_day=min(len(begins.strip()), len(ends.strip())) <= len("2026-06-30"))
                )
            usage.observed_at = max(usage.observed_at or first, last or first)
    except csv.Error as error:
        open_quote = "a quote that opens in it or before it is never closed" if "unexpected end" in str(error) else ""
        raise UsageError(
            "not_csv", f"Line {reader.line_num} is none of a table: {open_quote or 'a cell in it is no cell'}.",
            remedy="Correct its quotes, or export it again.", line=reader.line_num,
        ) from error  # fmt: skip
    if lives:
        _by_day(usage, lives)
        if ended:
            mean = sum(ended, Decimal(0)) / len(ended)
            usage.add(Measure.LIFETIME_DAYS, mean, note=f"of {len(ended)} that have ended")
    elif not usage.rejects:
        raise UsageError(
            "empty", "There is no entity in it.", remedy="Put a line for each entity below the columns.", line=1
        )
    return usage


def _life(first: datetime, last: datetime, *, is_by_day: bool) -> Decimal:
    """In days. Of days without a time both count: what was seen on one day alone has lived for that day."""
    if is_by_day:
        return Decimal((last.date() - first.date()).days + 1)
    return Decimal(str((last - first).total_seconds())) / 86_400


def _wrong(identity: str | None, first: datetime | None, last: datetime | None, ends: str) -> str:
    """What is wrong with a life; "" for nothing."""
    if not identity:
        return "It has no id."
    if first is None:
        return "Its first_seen is missing or no time (2026-06-30 or 2026-06-30T12:00:00Z)."
    if last is None and ends.strip():
        return "Its last_seen is no time (2026-06-30, or nothing while it exists)."
    return "It ends before it begins." if last is not None and last < first else ""


def _by_day(usage: Usage, lives: list[tuple[date, date | None]]) -> None:
    first, last = min(begin for begin, _ in lives), max(end or begin for begin, end in lives)
    first = max(first, last - timedelta(days=_MOST_DAYS))
    new, gone = Counter(begin for begin, _ in lives), Counter(end for _, end in lives if end is not None)
    live = sum(1 for begin, end in lives if begin < first and (end is None or end >= first))
    on = first
    while on <= last:
        live += new[on]
        usage.add(Measure.ENTITIES, live, day=on)
        usage.add(Measure.ENTITIES_NEW, new[on], day=on)
        live -= gone[on]
        on += timedelta(days=1)
