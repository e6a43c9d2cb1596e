"""Conditions of New Relic and monitors of Datadog that open and tell nobody, where the files show who tells. PURE.

Who is told may be kept anywhere, so nothing is said unless the files themselves hold what notifies, and not for these.
Sources: New Relic, workflows (issue filters, destinations); Terraform provider newrelic, newrelic_workflow and
newrelic_alert_policy_channel. Datadog, notifications (@handles in a monitor's message) and notification rules.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from findings.platform import alerts
from findings.platform.model import Block, Platform, once
from findings.platform.terraform import is_default
from findings.platform.units import stated_text
from platform_risk.quantities.sourced import Place, Sourced, Unknown

_HANDLE = re.compile(r"@\S")
_POLICY = "newrelic_alert_policy."
_FILTERS = ("labels.policyIds", "accumulations.policyName")
_LISTS = ("EXACTLY_MATCHES", "CONTAINS")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Untold:
    """What opens for nobody, and what says so."""

    id: str
    place: Place
    reason: str
    because: Place  # where it is said


@once
def untold(platform: Platform) -> dict[Place, Untold]:
    return {each.place: each for each in (*_newrelic(platform), *_datadog(platform))}


# -- New Relic: condition → policy → workflow or channel


def _newrelic(platform: Platform) -> Iterator[Untold]:
    conditions = platform.terraform("newrelic_nrql_alert_condition")
    senders = platform.terraform("newrelic_workflow", "newrelic_alert_policy_channel")
    if not conditions or not senders:
        return
    policies = _Policies(platform)
    for condition in conditions:
        refers = condition.references.get("policy_id", ())
        if len(refers) == 1 and refers[0].startswith(_POLICY):
            found = policies.untold((condition.folder, refers[0]))
            if found is not None:
                yield Untold(condition.id, condition.place(), *found)


class _Policies:
    """Who sends something for which policy."""

    def __init__(self, platform: Platform) -> None:
        self._blocks = {(each.folder, f"{_POLICY}{each.labels[-1]}"): each
                        for each in platform.terraform("newrelic_alert_policy")}  # fmt: skip
        self._told: set[tuple[str, str]] = set()
        self._off: dict[tuple[str, str], Block] = {}  # workflows that are switched off
        self._names: set[str] = set()
        self._is_open = False  # something sends for policies that are not known
        folders = {folder for folder, _ in self._blocks}
        for block in platform.blocks:
            if block.kind == "newrelic_workflow" and block.type == "resource":
                self._workflow(block)
            elif block.folder in folders and not (block.type == "resource" and block.kind.endswith("_condition")):
                self._told |= {(block.folder, each) for each in _references(block)}

    def _workflow(self, block: Block) -> None:
        off = [block.get(name) for name in ("enabled", "destinations_enabled")]
        is_off = any(isinstance(each, Sourced) and str(each.value).lower() == "false" for each in off)
        narrow = [
            each
            for within in block.inner("issues_filter")
            for each in within.inner("predicate")
            if stated_text(each.get("attribute")) in _FILTERS and stated_text(each.get("operator")) in _LISTS
        ]
        for predicate in narrow:
            values = predicate.get("values")
            listed = values.value if isinstance(values, Sourced) and isinstance(values.value, list) else None
            refers = [each for each in predicate.references.get("values", ()) if each.startswith(_POLICY)]
            names = {each for each in listed or () if isinstance(each, str)}
            if listed is None or len(refers) + len(names) < len(listed):
                self._is_open = self._is_open or not is_off
            for each in refers:
                if is_off:
                    self._off[block.folder, each] = block
                else:
                    self._told.add((block.folder, each))
            self._names |= names if not is_off else set()
        if not narrow and not is_off:
            self._is_open = True

    def untold(self, policy: tuple[str, str]) -> tuple[str, Place] | None:
        block = self._blocks.get(policy)
        if block is None or self._is_open or policy in self._told or block.get("channel_ids") is not None:
            return None
        name = block.get("name")
        if self._names and not (isinstance(name, Sourced) and str(name.value) not in self._names):
            return None
        off = self._off.get(policy)
        if off is not None:
            return f"{off.id}, which is for its policy, is switched off", off.place()
        return (
            f"no workflow and no channel is for its policy {block.labels[-1]}, and some are for others",
            block.place(),
        )


def _references(block: Block) -> Iterator[str]:
    for names in block.references.values():
        yield from names
    for inner in block.blocks:
        yield from _references(inner)


# -- Datadog: handles in the message


def _datadog(platform: Platform) -> Iterator[Untold]:
    monitors = list(alerts.datadog_monitors(platform, of_metrics=False))
    if platform.terraform("datadog_monitor_notification_rule") or not any(map(_names_somebody, monitors)):
        return
    folders = {monitor.place.path.rpartition("/")[0] for monitor in monitors}
    near = (block for block in platform.blocks if block.folder in folders)
    used = {(block.folder, name) for block in near for name in _references(block)}
    combined = {
        number
        for each in monitors
        if stated_text(each.stated.get("type")) == "composite"
        for number in _NUMBER.findall(stated_text(each.stated.get("query")))
    }
    for monitor in monitors:
        message = monitor.stated.get("message")
        if (
            isinstance(message, Sourced)
            and not is_default(message)
            and not _names_somebody(monitor)
            and not isinstance(monitor.stated.get("escalation_message"), Unknown)
            and (monitor.place.path.rpartition("/")[0], monitor.id) not in used
            and stated_text(monitor.stated.get("id")) not in combined
        ):
            yield Untold(monitor.id, monitor.place, "its message names nobody (no @handle)", message.place)


def _names_somebody(monitor: alerts.Monitor) -> bool:
    return any(_HANDLE.search(stated_text(monitor.stated.get(name))) for name in ("message", "escalation_message"))
