"""Whom Grafana tells of an alert of its own rules: the tree of notification policies, or the contact point that a rule
names itself, and what contact points do. PURE.

Sources: Grafana, provision alerting resources with files (contactPoints, policies, muteTimes) and notification
policies, which are routes as Alertmanager has them; Terraform provider grafana, grafana_notification_policy,
grafana_contact_point and grafana_mute_timing; Grafana Operator, objects of the same names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from findings.platform import alertmanager, grafana, mute_times
from findings.platform.alarm_actions import Reach
from findings.platform.alertmanager import Reader, Receiver, Route, Routing, Told
from findings.platform.config_files import ConfigFile
from findings.platform.grafana import GrafanaRule
from findings.platform.model import Block, Platform, Resource, all_once, once
from findings.platform.mute_times import Times
from findings.platform.nearness import Nearness
from findings.platform.nodes import items, mapping
from findings.platform.promql import Matcher
from findings.platform.units import stated_text
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Sourced, Unknown

_OF = "Grafana"
_MOST_LEVELS = 6  # of a file of values above the list within it
_MOST_POLICIES = 8  # within one another, of Terraform
# Where Grafana's own contact point mails to until somebody changes it.
_AS_SHIPPED = re.compile(r"\s*<?example@email\.com>?\s*")
_ADDRESSES = re.compile(r"[;,\n]")
_HANDS_ON = ("prometheus-alertmanager", "alertmanager")  # to what tells somebody, or does not


@once
def told(platform: Platform) -> dict[GrafanaRule, Told]:
    """Of every rule of Grafana's own of which the files say whom it tells; nothing where they hold no policies."""
    found = routings(platform)
    known = receivers(platform)
    answers: dict[GrafanaRule, Told] = {}
    by_tree: dict[tuple[Routing, ...], list[GrafanaRule]] = {}
    for group in grafana.groups(platform):
        near = _nearest(platform.near, found, group.place.path)
        for rule in group.rules:
            if rule.receiver:
                answers[rule] = _direct(platform, rule, _named(platform.near, known, rule.receiver, rule.place.path))
            elif near:
                by_tree.setdefault(near, []).append(rule)
    for trees, rules in by_tree.items():
        labels = ((rule, dict(rule.labels) | {"alertname": rule.title}) for rule in rules)
        answers |= alertmanager.followed(labels, trees)
    return answers


def is_for_nobody(platform: Platform, rule: GrafanaRule) -> bool:
    found = told(platform).get(rule)
    return found is not None and found.reach is Reach.NOBODY


def _nearest(nearness: Nearness, found: tuple[Routing, ...], path: str) -> tuple[Routing, ...]:
    """An instance has one tree: of several, as environments have them, the one beside the rules."""
    near = nearness.of_one_environment(path, found, lambda each: each.place.path)
    most = max((nearness.shared_folders(path, each.place.path) for each in near), default=0)
    return tuple(each for each in near if nearness.shared_folders(path, each.place.path) == most)


def _direct(platform: Platform, rule: GrafanaRule, receiver: Receiver | None) -> Told:
    times = _times(platform, rule.place.path) if rule.muted_in or rule.active_in else {}
    silent = mute_times.muted(times, rule.muted_in, rule.active_in)
    receiver = receiver or Receiver(rule.receiver, Reach.UNKNOWN, rule.place)
    if receiver.reach is not Reach.NOBODY and not silent:
        return Told(rule, receiver.reach)
    end = Route(receiver, (), goes_on=False, muted=silent, routes=(), place=rule.place if silent else receiver.place)
    return Told(rule, Reach.NOBODY, (end,), _tree(f"contact point {receiver.name}", end))


def _tree(id_: str, root: Route) -> Routing:
    return Routing(id_, root.place, root, _receivers_below(root), is_whole=True, of=_OF)


# -- contact points


Receivers = dict[str, list[Receiver]]
_Stated = tuple[str, Times]


@once
def receivers(platform: Platform) -> Receivers:
    """Contact points by their names: several environments have one of each."""
    found: Receivers = {}
    for each in _contact_points(platform):
        found.setdefault(each.name, []).append(each)
    return found


def _named(nearness: Nearness, known: Receivers, name: str, path: str) -> Receiver | None:
    return nearness.nearest(path, known[name], lambda each: each.place.path) if name in known else None


def _contact_points(platform: Platform) -> Iterator[Receiver]:
    for config in platform.configs:
        if {"contactPoints", "receivers"} <= config.keys:
            for node in _lists(config.root, "contactPoints"):
                yield _of_node(config, node, str(node.get("name")), items(node, "receivers"))
    for resource in platform.of_kind("GrafanaContactPoint"):
        spec = mapping(resource.body, "spec")
        ways = items(spec, "receivers") + ([spec] if spec.get("type") else [])
        yield _of_node(resource, spec, str(spec.get("name") or resource.name), ways)
    for block in platform.terraform("grafana_contact_point"):
        yield _of_block(block)


def _of_node(of: ConfigFile | Resource, node: Map, name: str, ways: list[Any]) -> Receiver:
    place = of.place(node.lines.get("name") or node.line)
    if not ways:
        return Receiver(name, Reach.NOBODY, place, f"the contact point {name} has no integration")
    kinds = {str(mapping(each).get("type")) for each in ways}
    if kinds <= set(_HANDS_ON):
        return Receiver(name, Reach.UNKNOWN, place)
    if kinds == {"email"} and all(_is_as_shipped(mapping(each, "settings").get("addresses")) for each in ways):
        return Receiver(name, Reach.NOBODY, place, _mails_nowhere(name))
    return Receiver(name, Reach.PEOPLE, place)


def _of_block(block: Block) -> Receiver:
    """Each block within it is an integration."""
    name, place = stated_text(block.get("name")) or block.labels[-1], block.place()
    if not block.blocks:
        return Receiver(name, Reach.NOBODY, place, f"the contact point {name} has no integration")
    kinds = {each.type for each in block.blocks}
    if kinds <= set(_HANDS_ON):
        return Receiver(name, Reach.UNKNOWN, place)
    addresses = [each.get("addresses") for each in block.blocks]
    if kinds == {"email"} and all(isinstance(each, Sourced) and _is_as_shipped(each.value) for each in addresses):
        return Receiver(name, Reach.NOBODY, place, _mails_nowhere(name))
    return Receiver(name, Reach.PEOPLE, place)


def _is_as_shipped(addresses: Any) -> bool:
    listed = addresses if isinstance(addresses, list) else _ADDRESSES.split(str(addresses or ""))
    return bool(listed) and all(isinstance(each, str) and _AS_SHIPPED.fullmatch(each) for each in listed)


def _mails_nowhere(name: str) -> str:
    return f"the contact point {name} mails to the address that Grafana ships with, which is nobody's"


# -- policies


@all_once
def routings(platform: Platform) -> Iterator[Routing]:
    known = receivers(platform)
    for config in platform.configs:
        if {"policies", "receiver"} <= config.keys:
            id_ = f"{config.resource.id} {config.path}" if config.resource else config.path
            for node in _lists(config.root, "policies"):
                if node.get("receiver"):
                    yield _tree(id_, _root(_reader(platform, config, known).route(node)))
    added = platform.of_kind("GrafanaNotificationPolicyRoute")
    for resource in platform.of_kind("GrafanaNotificationPolicy"):
        root = _root(_reader(platform, resource, known).route(mapping(resource.body, "spec.route")))
        if resource.at("spec.route.routeSelector") is not None:
            routes = (_reader(platform, each, known).route(mapping(each.body, "spec")) for each in added)
            root = replace(root, routes=(*root.routes, *routes))
        yield _tree(resource.id, root)
    for block in platform.terraform("grafana_notification_policy"):
        times = _times(platform, block.path)
        yield _tree(block.id, _root(_of_policy(block, _beside(platform, known, block.path), times, 0)))


def _root(route: Route) -> Route:
    """Every alert comes by it, whatever else it states."""
    return replace(route, matchers=(), muted="")


def _reader(platform: Platform, of: ConfigFile | Resource, known: Receivers) -> Reader:
    return Reader(of, "", receivers=_beside(platform, known, of.path), mutes=_times(platform, of.path))


def _beside(platform: Platform, known: Receivers, path: str) -> dict[str, Receiver]:
    return {name: platform.near.nearest(path, found, lambda each: each.place.path) for name, found in known.items()}


@once
def _mutes(platform: Platform) -> dict[str, list[_Stated]]:
    """The intervals of each name, and the file that states them: several environments have one of each."""
    found: dict[str, list[_Stated]] = {}

    def state(name: str, path: str, intervals: Sequence[Any]) -> None:
        found.setdefault(name, []).append((path, mute_times.of(intervals)))

    for config in platform.configs:
        if "muteTimes" in config.keys:
            for node in _lists(config.root, "muteTimes"):
                state(str(node.get("name")), config.path, items(node, "time_intervals"))
    for resource in platform.of_kind("GrafanaMuteTiming"):
        spec = mapping(resource.body, "spec")
        state(str(spec.get("name") or resource.name), resource.path, items(spec, "time_intervals"))
    for block in platform.terraform("grafana_mute_timing"):
        intervals = [_interval(each) for each in block.inner("intervals")]
        if intervals:  # else they are written out from what a plan knows
            state(stated_text(block.get("name")), block.path, intervals)
    return found


def _interval(block: Block) -> dict[str, Any]:
    """As files write it. What is not known leaves out something, as far as can be told."""
    found = {name: each.value if isinstance(each, Sourced) else "not known" for name, each in block.attributes.items()}
    times = [
        {name: each.value for name, each in inner.attributes.items() if isinstance(each, Sourced)}
        for inner in block.inner("times")
    ]
    return found | ({"times": times} if times else {})


def _times(platform: Platform, path: str) -> dict[str, Times]:
    return {
        name: platform.near.nearest(path, found, lambda each: each[0])[1] for name, found in _mutes(platform).items()
    }


def _receivers_below(route: Route) -> tuple[Receiver, ...]:
    found = {id(route.receiver): route.receiver}
    for below in route.routes:
        found |= {id(each): each for each in _receivers_below(below)}
    return tuple(found.values())


def _lists(root: Any, key: str, depth: int = 0) -> Iterator[Map]:
    """What a list of this name holds: at the top of a file, or in values of Helm below other keys."""
    if not isinstance(root, Map) or depth > _MOST_LEVELS:
        return
    yield from (each for each in items(root, key) if isinstance(each, Map))
    for value in root.values():
        yield from _lists(value, key, depth + 1)


def _of_policy(
    block: Block, known: Mapping[str, Receiver], times: Mapping[str, Times], depth: int, above: Receiver | None = None
) -> Route:
    receiver = _of_point(block, known) or above or Receiver("", Reach.UNKNOWN, block.place())
    goes_on = block.get("continue")
    below = block.inner("policy") if depth < _MOST_POLICIES else ()
    return Route(
        receiver,
        tuple(_matcher(each) for each in block.inner("matcher")),
        isinstance(goes_on, Sourced) and goes_on.value is True,
        mute_times.muted(times, *(grafana.names_of(block.get(name)) for name in ("mute_timings", "active_timings"))),
        tuple(_of_policy(each, known, times, depth + 1, receiver) for each in below),
        block.place(),
    )


def _of_point(block: Block, known: Mapping[str, Receiver]) -> Receiver | None:
    stated = block.get("contact_point")
    if stated is None:
        return None
    name = stated_text(stated)
    return known.get(name) or Receiver(name, Reach.UNKNOWN, block.place())


def _matcher(block: Block) -> Matcher | None:
    stated = [block.get(name) for name in ("label", "match", "value")]
    if any(each is None or isinstance(each, Unknown) for each in stated):
        return None
    label, how, value = (stated_text(each) for each in stated)
    return Matcher(label, how, value)
