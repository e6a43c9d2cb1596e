"""Whom an alarm of CloudWatch tells when it opens: by actions of its own, or through an alarm that combines it. PURE.

Source: Amazon CloudWatch, alarm actions and composite alarms: without an action, or with actions that are not enabled,
an alarm changes its state and does nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from findings.platform import alerts
from findings.platform.model import Block, Platform, once
from findings.platform.terraform import is_default, is_opened
from findings.platform.units import stated_text
from findings.platform.yaml_reader import Seq
from platform_risk.quantities.sourced import Place, Sourced, Unknown

# By the provider of Terraform, and by the one that is made from the schemas of CloudFormation.
COMPOSITES = ("aws_cloudwatch_composite_alarm", "awscc_cloudwatch_composite_alarm")
_PLAN = "the plan as JSON: terraform show -json"
_OWN = "alarm_actions of its own, where it is to tell somebody itself"
_POLICIES = ("aws_autoscaling_policy.", "aws_appautoscaling_policy.")
_AUTOMATIC = re.compile(r"arn:[\w-]+:(?:autoscaling|automate|swf):")
_NAMED = re.compile(r"""\b(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*["']?([^"')]+?)["']?\s*\)""", re.IGNORECASE)
_OF_ALARMS = re.compile(r"aws\.cloudwatch\b|CloudWatch Alarm State Change")
_ITS_OWN = ("alarm_name", "alarm_actions", "alarm_description")
_MODULE = re.compile(r"module\.[\w-]+")


class Reach(StrEnum):
    PEOPLE = "people"
    MACHINES = "machines"  # it scales, restarts or holds back something, and tells nobody
    NOBODY = "nobody"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Told:
    alarm: Block
    reach: Reach
    place: Place
    reason: str = ""  # of nobody, what says so; of unknown, why
    provide: str = ""


@once
def told(platform: Platform) -> dict[Place, Told]:
    """By where the alarm stands: two folders may have one of the same name. A module whose own alarms are here is
    looked at in them."""
    found = alerts.alarm_blocks(platform)
    alarms = [each for each in found if each.type == "resource" or not is_opened(platform, each)]
    own = {each.place(): _own(each) for each in (*alarms, *platform.terraform(*COMPOSITES))}
    if all(each.reach in (Reach.PEOPLE, Reach.UNKNOWN) for each in own.values()):
        return own
    uses = _Uses(platform, own)
    return {place: uses.beyond(each, frozenset()) for place, each in own.items()}


def _own(block: Block) -> Told:
    """What its own actions say."""
    place = block.place()
    enabled, actions = block.get("actions_enabled"), block.get("alarm_actions")
    missing = block.get("insufficient_data_actions")
    unknown = next((each for each in (enabled, actions, missing) if isinstance(each, Unknown)), None)
    if isinstance(enabled, Sourced) and str(enabled.value).lower() == "false":
        return Told(block, Reach.NOBODY, enabled.place, "actions_enabled is false")
    if unknown is not None:
        return Told(block, Reach.UNKNOWN, unknown.place, unknown.reason, unknown.provide)
    if isinstance(missing, Sourced) and _listed(missing.value):
        return Told(block, Reach.PEOPLE, missing.place)
    if isinstance(actions, Sourced) and _listed(actions.value):
        return Told(block, Reach.MACHINES if _is_automatic(block, actions.value) else Reach.PEOPLE, actions.place)
    if isinstance(actions, Sourced) and is_default(actions):
        return Told(block, Reach.UNKNOWN, actions.place, f"alarm_actions is empty: {actions.note}", _PLAN)
    if actions is None and "alarm_actions" in block.written:
        reason = "alarm_actions is null here, and whoever calls this may state it"
        return Told(block, Reach.UNKNOWN, place, reason, _PLAN)
    if actions is None and block.type == "module":
        return Told(block, Reach.UNKNOWN, place, "what its module does when it opens is not here", _PLAN)
    at = actions.place if isinstance(actions, Sourced) else place
    return Told(block, Reach.NOBODY, at, "it has no alarm_actions")


def _listed(actions: Any) -> list[Any]:
    """What it names; the empty text of a variable that nobody sets names nothing."""
    return [each for each in (actions if isinstance(actions, Seq | list) else [actions]) if each not in ("", None)]


def _is_automatic(block: Block, actions: Any) -> bool:
    """Whether all of them are for machines. What is known only after apply is told by what it refers to."""
    listed = _listed(actions)
    policies = [each for each in block.references.get("alarm_actions", ()) if each.startswith(_POLICIES)]
    automatic = sum(isinstance(each, str) and _AUTOMATIC.match(each) is not None for each in listed)
    return automatic + len(policies) >= len(listed)


class _Uses:
    """Who else uses an alarm: what names it, or refers to it, in the same folder."""

    def __init__(self, platform: Platform, own: dict[Place, Told]) -> None:
        self._own = own
        self._references: dict[tuple[str, str], list[tuple[Block, str]]] = {}
        self._of_modules: dict[str, list[tuple[Block, str]]] = {}
        self._names: dict[str, list[tuple[Block, str]]] = {}
        self._unread: Block | None = None
        self._events = next((each for each in _event_rules(platform)), None)
        # What refers to an alarm stands in its folder, or, of what a module gives out, anywhere: no other is looked at.
        self._folders = {each.alarm.folder for each in own.values()}
        self._is_in_modules = any(_MODULE.search(each.alarm.address) for each in own.values())
        for block in platform.blocks:
            if block.kind != "aws_cloudwatch_dashboard":
                self._gather(block, block)

    def _gather(self, block: Block, within: Block) -> None:
        is_near = self._is_in_modules or block.folder in self._folders
        for attribute, names in within.references.items() if is_near else ():
            for name in names if attribute != "depends_on" else ():
                self._references.setdefault((block.folder, name), []).append((block, attribute))
                if name.startswith("module.") and block.type != "output":
                    self._of_modules.setdefault(name, []).append((block, attribute))
        for attribute in within.written:
            if "alarm" in attribute and not (block.place() in self._own and attribute in _ITS_OWN):
                for name in _names(within, attribute):
                    self._names.setdefault(name, []).append((block, attribute))
        if block.kind in COMPOSITES and block is within and _is_unread(block):
            self._unread = block
        for inner in within.blocks:
            self._gather(block, inner)

    def beyond(self, each: Told, seen: frozenset[Place]) -> Told:
        """With what those do who use it. `seen`: alarms on the way here, which may go in circles."""
        if each.reach in (Reach.PEOPLE, Reach.UNKNOWN) or each.alarm.place() in seen:
            return each
        found, here = each, each.alarm.place()
        for block, attribute in self._of(each.alarm):
            if block.place() == here:
                continue
            if block.place() not in self._own:
                reason = f"{block.id} uses it, and whom that tells is not read"
                found = replace(each, reach=Reach.UNKNOWN, place=block.place(), reason=reason, provide=_OWN)
            elif attribute != "alarm_rule":
                found = found if found.reach is Reach.UNKNOWN else replace(each, reach=Reach.MACHINES)
            else:
                through = self.beyond(self._own[block.place()], seen | {here})
                if through.reach is Reach.PEOPLE:
                    return replace(each, reach=Reach.PEOPLE)
                if through.reach is not Reach.NOBODY and found.reach is not Reach.UNKNOWN:
                    found = replace(through, alarm=each.alarm)
        other = self._events or self._unread
        if found.reach is Reach.NOBODY and other is not None and other.place() != here:
            reason = f"{other.id} may pass it on"
            return replace(each, reach=Reach.UNKNOWN, place=other.place(), reason=reason, provide=_PLAN)
        return found

    def _of(self, alarm: Block) -> list[tuple[Block, str]]:
        address = ".".join(alarm.labels if alarm.type == "resource" else (alarm.type, *alarm.labels))
        name = alarm.get("alarm_name")
        by_name = self._names.get(str(name.value), []) if isinstance(name, Sourced) else []
        uses = [*self._references.get((alarm.folder, address), []), *by_name]
        modules = _MODULE.findall(alarm.address)
        if modules:  # what its module gives out is used where the module is
            uses = [(block, attribute) for block, attribute in uses if block.type != "output"]
            uses += self._of_modules.get(modules[-1], [])
        return uses


def _names(block: Block, attribute: str) -> Iterator[str]:
    """Alarms by name: in the rule of one that combines them, and wherever an attribute speaks of alarms."""
    stated = block.get(attribute)
    if attribute == "alarm_rule":
        yield from _NAMED.findall(stated_text(stated))
    elif isinstance(stated, Sourced):
        yield from (str(each) for each in _listed(stated.value))


def _is_unread(composite: Block) -> bool:
    """Whether its rule names alarms that cannot be told: more is not known of it than it refers to."""
    rule = composite.get("alarm_rule")
    references = len(composite.references.get("alarm_rule", ()))
    return isinstance(rule, Unknown) and (not references or rule.partial.count("…") > references)


def _event_rules(platform: Platform) -> Iterator[Block]:
    """Rules of EventBridge that pass on what alarms do, or may, where something of their pattern is not known."""
    for block in platform.terraform("aws_cloudwatch_event_rule"):
        pattern = block.get("event_pattern")
        text = stated_text(pattern)
        if pattern is not None and (not text or "…" in text or _OF_ALARMS.search(text)):
            yield block
