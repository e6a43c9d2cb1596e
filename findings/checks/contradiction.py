"""Two places that cannot both be right: each alone looks well."""

import re
from collections.abc import Iterator, Sequence, Set
from typing import Any

from findings.checks import network_egress
from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform import images as platform_images
from findings.platform import kafka, network, objectives, windows
from findings.platform.images import distinct
from findings.platform.model import Autoscaler, Platform, Resource, places
from findings.platform.nodes import items, mapping
from findings.platform.patterns import of_names
from findings.platform.units import stated_number
from findings.platform.windows import Calendar
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="contradiction",
    seed="",
    title="Two places contradict each other",
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    outcome=Outcome.OUTAGE,
    means="One file demands what another rules out: images that the platform's own admission policy refuses, an "
    "autoscaler that watches a topic nobody declares, a deployment window that the deployer does not know, an "
    "objective with two values, a network policy that cuts off what a service is told to call.",
    why="Each place passes its own review. Together, one of them has no effect or stops the other, and that shows when "
    "somebody relies on it: in a rollout, a peak or an incident.",
    not_a_problem="One of the two is not in use any more: then remove it.",
    remedy="Decide which of the two is meant, change the other, and state the value once where both can read it.",
    patch="""slo:
  target: 99.9      # stated here alone; alerts and dashboards read it
  window_days: 30""",
    remedies=("one-truth",),
    references=(
        "https://kyverno.io/docs/policy-types/cluster-policy/validate/",
        "https://keda.sh/docs/latest/scalers/apache-kafka/",
        "https://argo-cd.readthedocs.io/en/stable/user-guide/sync_windows/",
        "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
    ),
)

_LEAST = 90  # percent: what is below is a count, as of the letters `slo` in a language
_OBJECTIVE = of_names(
    r"(?:.*_)?(?:slo|availability_slo|slo_availability|availability_target)(?:_target|_objective|_percent)?"
)


def run(platform: Platform) -> Iterator[Verdict]:
    yield from _images(platform)
    yield from _topics(platform)
    yield from _unenforced_windows(platform)
    yield from _objectives(platform)
    yield from _blocked(platform)
    yield from _replicas(platform)
    yield from _scaled_twice(platform)


# Images against the platform's own admission policy


def _images(platform: Platform) -> Iterator[Verdict]:
    found = platform_images.images(platform)
    for allowed in platform_images.allow_lists(platform):
        images = distinct([each for each in found if allowed.applies(each.workload)]) if allowed.is_readable else []
        refused = [each for each in images if not allowed.admits(each)]
        if len(refused) == len(images):
            continue  # none fits: the policy is not that of these workloads, or there are none
        if not refused:
            yield Pass(allowed.subject, (allowed.place,))
            continue
        terms = tuple(Input("image", each.reference, "", Source.FILE, each.place.path, each.place.line)
                      for each in refused)  # fmt: skip
        names = ", ".join(each.reference for each in refused[:3])
        denies = allowed.enforcement.denies
        yield Fail(
            allowed.subject,
            f"{len(refused)} of {len(images)} images break the platform's own rule",
            f"It admits {' or '.join(each.glob for each in allowed.patterns)}; {names} would be "
            f"{'refused' if denies else 'reported'}.",
            places(allowed.patterns[0].place, *(each.place for each in refused)),
            (
                Quantity("images_against_own_policy", len(refused), "images", "images that no pattern matches", terms),
                Quantity("images_total", len(images), "images", "different images that the policy covers", terms),
            ),
            None if denies else Severity.LOW,
            "images",
        )


# Autoscalers on topics


def _topics(platform: Platform) -> Iterator[Verdict]:
    known = kafka.topics(platform)
    names = {topic.name for topic in known}
    consumers = {each.subject: each for each in kafka.consumers(platform)}
    for scaler in platform.autoscalers:
        trigger = kafka.kafka_trigger(scaler)
        if trigger is None or not isinstance(trigger.get("topic"), str) or scaler.resource is None:
            continue
        stated = Sourced(trigger["topic"], Source.FILE, scaler.resource.place(trigger.lines["topic"]))
        consumer = consumers.get(scaler.target)
        others = [name for name in consumer.topics if name != stated.value] if consumer is not None else []
        if consumer is not None and others and stated.value not in _own_topics(platform, consumer):
            yield _other_topic(scaler, stated, others[0], consumer.place)
        elif known:
            yield _topic(scaler, stated, known, names)


def _own_topics(platform: Platform, consumer: kafka.Consumer) -> set[str]:
    """Topics that the workload itself names, without its autoscaler's."""
    return {str(setting.value.value) for setting in platform.settings_of(consumer.subject)}


def _other_topic(scaler: Autoscaler, stated: Sourced[str], other: str, place: Place) -> Verdict:
    term = input_of("scaler_topic", stated, "")
    return Fail(
        scaler.resource.id if scaler.resource else scaler.place.path,
        f"It scales by the lag of {stated.value}, and its pods read {other}",
        "Pods are added for messages that they do not read, and not for those they do.",
        places(stated, place),
        (Quantity("topics_in_common", 0, "topics", "topics of the trigger ∩ topics of the pods", (
            term, Input("consumer_topic", other, "", Source.FILE, place.path, place.line))),),
        None,
        "topic",
    )  # fmt: skip


def _topic(scaler: Autoscaler, stated: Sourced[str], known: Sequence[kafka.Topic], names: Set[str]) -> Verdict:
    subject = scaler.resource.id if scaler.resource else scaler.place.path
    if stated.value in names:
        return Pass(subject, places(stated))
    shown = ", ".join(sorted(names)[:5])
    term = input_of("scaler_topic", stated, "")
    return Fail(
        subject,
        f"It scales by the lag of {stated.value}, which no file declares",
        f"Declared are {shown}. Without the topic there is no lag to see, and no pod is added.",
        places(stated, known[0].place),
        (Quantity("declarations", 0, "topics", "declared topics of that name", (term,)),),
        None,
        "topic",
    )


# Windows that the deployer does not know


def _unenforced_windows(platform: Platform) -> Iterator[Verdict]:
    found = [each for each in windows.calendars(platform) if isinstance(each, Calendar) and each.project is None]
    if not found:
        return
    for application in platform.of_kind("Application"):
        if not application.api.startswith("argoproj.io/"):
            continue
        automated = application.at("spec.syncPolicy.automated")
        if automated is not None and not (isinstance(automated.value, Map) and automated.value.get("enabled") is False):
            yield _window(platform, application, automated, found[0])


def _window(platform: Platform, application: Resource, automated: Sourced[Any], calendar: Calendar) -> Verdict:
    name = str(mapping(application.body, "spec").get("project") or "default")
    project = next((each for each in platform.of_kind("AppProject") if each.name == name), None)
    if project is None:
        reason = f"it syncs by itself, windows are declared elsewhere, and its project {name} is not in these files"
        return Unsure(application.id, reason, f"spec.syncWindows of AppProject/{name}", automated.place)
    if items(project.body, "spec.syncWindows"):
        return Pass(application.id, places(automated, project.place()))
    terms = (
        Input("automated_sync", "on", "", Source.FILE, automated.place.path, automated.place.line),
        Input("windows", len(calendar.windows), "windows", Source.FILE, calendar.place.path, calendar.place.line),
    )
    return Fail(
        application.id,
        "Deployment windows are declared, and Argo CD syncs at any hour",
        f"Its project {name} has no syncWindows: what is merged goes out within minutes, whatever the windows say.",
        places(automated, calendar.place, project.place()),
        (Quantity("sync_windows", 0, "windows", "windows that the deployer knows", terms),),
        None,
        "window",
    )


# An objective with two values


def _objectives(platform: Platform) -> Iterator[Verdict]:
    named: dict[str, list[Sourced[float]]] = {}
    for settings in platform.loose_settings.values():
        for setting in settings:
            value = _percent(setting.value) if _OBJECTIVE(setting.name) else None
            if value is not None:
                named.setdefault(re.sub(r"_(?:target|objective|percent)\Z", "", setting.name), []).append(value)
    declared = objectives.objective(platform)
    if isinstance(declared, objectives.Objective):
        named.setdefault("slo", []).append(declared.target)
    for name, stated in named.items():
        if len(stated) < 2:
            continue
        values = sorted({each.value for each in stated})
        if len(values) == 1:
            yield Pass(name, places(*stated))
            continue
        terms = tuple(input_of(name, each, "%") for each in stated)
        budget = round((100 - values[0]) / (100 - values[-1]), 6)
        yield Fail(
            name,
            f"{name} is {' and '.join(f'{each:g} %' for each in values)}",
            f"The one allows {budget:g} times the errors of the other: alerts and reports disagree.",
            places(*stated),
            (Quantity("budget_ratio", budget, "×", "(1 − lower) ÷ (1 − higher)", terms),),
            None,
            "objective",
        )


def _percent(stated: Sourced[Any]) -> Sourced[float] | None:
    """An objective in percent, also where it is written as a fraction (0.999) or with its sign (99.9%)."""
    text = str(stated.value).strip()
    found = stated_number(stated.map(lambda _: text.removesuffix("%").strip()))
    if found is None:
        return None
    value = found.value if found.value > 1 else found.value * 100
    return found.map(lambda _: round(float(value), 9)) if _LEAST <= value < 100 else None


# What a policy cuts off


def _blocked(platform: Platform) -> Iterator[Verdict]:
    policies = network.policies(platform)
    for workload in platform.workloads if policies else ():
        covering = [each for each in network.covering(platform).get(workload, []) if each.allows]
        if not covering:
            continue  # nothing selects it, or all is denied and what allows it may be elsewhere
        judged = network_egress.blocked(platform, workload)
        gone = [to for to, outcome in judged if outcome is False]
        if not gone:
            continue
        terms = tuple(Input(to.variable, to.host, "", Source.FILE, to.place.path, to.place.line) for to in gone)
        names = ", ".join(sorted({to.host for to in gone})[:3])
        yield Fail(
            workload.id,
            f"It is told to call {names}, and its network policy does not let it",
            f"{covering[0].subject} selects its pods and no rule of any policy allows it.",
            places(gone[0].place, covering[0].place, workload.resource.place()),
            (Quantity("dependencies_blocked", len(gone), "dependencies", "declared and not allowed", terms),),
            None,
            "egress",
        )


# Replicas outside their autoscaler's bounds


def _replicas(platform: Platform) -> Iterator[Verdict]:
    for workload in platform.workloads:
        scaler = platform.autoscaler_of(workload)
        stated = workload.replicas
        if scaler is None or isinstance(stated, Unknown) or stated.source is not Source.FILE or stated.value == 0:
            continue
        low, high = scaler.minimum, scaler.maximum
        if isinstance(low, Unknown) or isinstance(high, Unknown) or low.value <= stated.value <= high.value:
            continue
        terms = (
            input_of("replicas", stated, "pods"),
            input_of("minimum", low, "pods"),
            input_of("maximum", high, "pods"),
        )
        outside = max(low.value - stated.value, stated.value - high.value)
        yield Fail(
            workload.id,
            f"{counted(stated.value, 'replicas')}, and its autoscaler keeps {low.value} to {high.value}",
            "Every apply of this file moves the number of pods out of bounds until the autoscaler moves it back.",
            places(stated, low, high),
            (Quantity("pods_out_of_bounds", outside, "pods", "max(minimum − replicas, replicas − maximum)", terms),),
            Severity.LOW,
            "replicas",
        )


def _scaled_twice(platform: Platform) -> Iterator[Verdict]:
    """Source: KEDA, a ScaledObject makes a HorizontalPodAutoscaler of its own, and two of them fight over replicas."""
    for workload in platform.workloads:
        found = {each.resource.id: each for each in platform.autoscalers_of(workload) if each.resource is not None}
        if len(found) < 2:
            continue
        names = " and ".join(sorted(found))
        terms = tuple(Input(name, 1, "autoscaler", Source.FILE, each.place.path, each.place.line)
                      for name, each in found.items())  # fmt: skip
        yield Fail(
            workload.id,
            f"{len(found)} autoscalers set its replicas: {names}",
            "Each sets the number of pods by what it alone measures, and undoes what the other has done.",
            places(*(each.place for each in found.values()), workload.resource.place()),
            (Quantity("autoscalers", len(found), "autoscalers", "that scale the same workload", terms),),
            None,
            "autoscalers",
        )
