"""Conclusion: failures that no alert would notice, and which alert notices the others."""

import re
from collections.abc import Iterator

from findings.checks import coverage, signals
from findings.checks.alert_rules import Rule
from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.coverage import Cell, State
from findings.checks.subjects import Subject
from findings.checks.words import counted
from findings.platform import alarm_actions, alertmanager, grafana_policies, notified, promql
from findings.platform.alarm_actions import Reach
from findings.platform.alertmanager import Alert, Routing
from findings.platform.model import Platform, places, unique
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source

META = Meta(
    id="alert-coverage",
    seed="",
    title="A failure that no alert would notice",
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    outcome=Outcome.OUTAGE,
    means="None of the alert rules among the files watches for one of the ways in which this can fail. A rule counts "
    "when every metric in its expression is one of which it is known what it tells, and when its labels include what "
    "is looked at. A rule that is not understood never counts: what it may watch is unknown. Nor does an alert "
    "that reaches nobody: an alarm of CloudWatch without an action, an alert that Alertmanager sends to a receiver "
    "without a configuration, or Grafana to a contact point without an integration, a monitor of Datadog that names "
    "nobody beside others that do.",
    why="What no alert notices is found by users. From then on the outage is as long as it takes them to complain, "
    "and by then it has spent more of the error budget than the repair will.",
    not_a_problem="Something outside these files watches it: a rule in another tool, or the facts say what a rule "
    "notices (alerting.notices).",
    remedy="Add the rule, beginning with what users see: failing and slow requests, then pods that are missing, then "
    "what runs out.",
    patch="""groups:
  - name: api
    rules:
      - alert: ApiErrors
        expr: |
          sum(rate(http_requests_total{service="api", code=~"5.."}[5m]))
            / sum(rate(http_requests_total{service="api"}[5m])) > 0.05
        for: 1m
        labels: {severity: page}""",
    remedies=("missing-alerts",),
    references=(
        "https://sre.google/sre-book/monitoring-distributed-systems/#xref_monitoring_golden-signals",
        "https://prometheus.io/docs/practices/alerting/",
        "https://prometheus.io/docs/alerting/latest/configuration/#route",
        "https://grafana.com/docs/grafana/latest/alerting/fundamentals/notifications/notification-policies/",
        "https://docs.newrelic.com/docs/nrql/nrql-syntax-clauses-functions/",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
        "https://docs.datadoghq.com/monitors/types/metric/",
        "https://docs.datadoghq.com/monitors/notify/",
        "https://docs.newrelic.com/docs/alerts/get-notified/incident-workflows/incident-workflows/",
    ),
)
_NOTICES = "facts: alerting.notices"


def run(platform: Platform) -> Iterator[Verdict]:
    yield from _alarms(platform)
    yield from _unnotified(platform)
    yield from _routed(platform)
    found = coverage.coverage(platform)
    if not found.cells:
        return
    if not found.is_whole:
        first = found.cells[0].subject
        yield Unsure(
            "alert rules",
            f"no alert rule that tells anybody is among these files, so what notices "
            f"{counted(len(found.subjects), 'things')} that can fail is not known",
            "the alert rules, in the same upload or in another; or, where there are none, facts: alerting.complete: "
            "true",
            first.place,
        )
        return
    for subject in found.subjects:
        yield from _judged(subject, found.of(subject))
    told = {id(rule) for cell in found.cells for rule in cell.rules}
    for rule in found.rules:
        if rule.reason and not rule.senses and not rule.is_hidden and id(rule) not in told:
            yield Unsure(rule.name, rule.reason, f"{_NOTICES}.{rule.name}", rule.place)


# Quantities of failures that are about an alert and not about what nothing watches.
SILENT = ("alarms_that_tell_nobody", "alerts_that_tell_nobody")


def _alarms(platform: Platform) -> Iterator[Verdict]:
    """Alarms of CloudWatch that open for nobody. Whether the others are the right ones is asked of what can fail."""
    for told in alarm_actions.told(platform).values():
        id_ = told.alarm.id
        if told.reach is Reach.UNKNOWN:
            yield Unsure(id_, f"whom it tells is not known: {told.reason}", told.provide, told.place)
        elif told.reach is Reach.NOBODY:
            yield _silent(id_, told.reason, told.place, told.alarm.place())


def _unnotified(platform: Platform) -> Iterator[Verdict]:
    """Conditions of New Relic and monitors of Datadog that open for nobody, beside others that tell somebody."""
    for each in notified.untold(platform).values():
        yield _silent(each.id, each.reason, each.because, each.place)


def _silent(id_: str, reason: str, because: Place, place: Place) -> Fail:
    term = Input(id_, reason, "", Source.FILE, because.path, because.line)
    return Fail(
        id_,
        f"It opens and tells nobody: {reason}",
        "It changes its state where nobody looks, and nothing that tells somebody uses it.",
        places(because, place),
        (Quantity(SILENT[0], 1, "alarms", "alarms that nobody is told of", (term,)),),
    )


# Alerts that nobody has to be told of, as their authors say: they hold back others, or show that alerts arrive.
_FOR_NOBODY = re.compile(r"info|information(?:al)?|none|debug|ok", re.IGNORECASE)


def _routed(platform: Platform) -> Iterator[Verdict]:
    """Alerts that Alertmanager or Grafana send to nobody: one failure for each configuration, which counts them."""
    silent: dict[Routing, list[alertmanager.Told]] = {}
    doubtful: dict[Routing, list[alertmanager.Told]] = {}
    for told in (*alertmanager.told(platform).values(), *grafana_policies.told(platform).values()):
        if told.routing is None or _FOR_NOBODY.fullmatch(told.alert.severity) or not _watches(told.alert):
            continue
        if told.reach is Reach.NOBODY:
            silent.setdefault(told.routing, []).append(told)
        elif told.ends:
            doubtful.setdefault(told.routing, []).append(told)
    yield from (_untold(routing, found) for routing, found in silent.items())
    for routing, found in doubtful.items():
        names = ", ".join(unique(end.receiver.name for told in found for end in told.ends)[:4])
        count = f"{len(found)} alerts" if len(found) > 1 else f"the alert {found[0].alert.name}"
        yield Unsure(
            routing.id,
            f"whether {count} may end at {names}, which tells nobody: their rules do not state the labels that "
            "routes ask for",
            "those labels, in the rules",
            found[0].ends[0].place,
        )
    if not silent and not doubtful:
        every = (*alertmanager.routings(platform), *grafana_policies.routings(platform))
        yield from (Pass(each.id, (each.place,)) for each in every if each.is_whole)


def _watches(alert: Alert) -> bool:
    """Whether it is about anything: one that always fires shows that alerts arrive."""
    try:
        return any(promql.metrics(promql.parse(alert.expression)))
    except promql.NotUnderstood:
        return True


def _weighs(told: alertmanager.Told) -> bool:
    """Whether somebody would be called for it. Who names one alert in a route to nobody has decided about that one."""
    is_by_name = all(
        any(each is not None and each.label == "alertname" and each.operator in ("=", "=~") for each in end.matchers)
        for end in told.ends
    )
    return (told.alert.pages or not told.alert.severity) and not is_by_name


def _untold(routing: Routing, found: list[alertmanager.Told]) -> Fail:
    ends = list({id(end): end for told in found for end in told.ends}.values())
    terms = tuple(
        Input(told.alert.name, told.ends[0].receiver.name if told.ends else "", "", Source.FILE,
              told.alert.place.path, told.alert.place.line)
        for told in found
    )  # fmt: skip
    count = f"{len(found)} alerts open and tell" if len(found) > 1 else f"{found[0].alert.name} opens and tells"
    because = "; ".join(unique(end.silent for end in ends)[:3])
    if routing.tells_nobody:
        none = "none of its receivers has a configuration"
        because = none if routing.of == "Alertmanager" else because
    return Fail(
        routing.id,
        f"{count} nobody: {because}",
        f"{routing.of} takes them and sends nothing, and no other route tells somebody of them.",
        places(*(each for end in ends for each in (end.place, end.receiver.place))),
        (Quantity(SILENT[1], len(found), "alerts", "alerts whose route ends at nobody", terms),),
        None if any(map(_weighs, found)) else Severity.LOW,
        "routes",
    )


def _judged(subject: Subject, cells: list[Cell]) -> Iterator[Verdict]:
    missing = [each for each in cells if each.state == State.NONE]
    doubtful = [each for each in cells if each.state == State.UNKNOWN]
    if missing:
        yield _fail(subject, cells, missing)
    elif not doubtful:
        yield Pass(subject.id, places(subject.place, *(each.rules[0].place for each in cells)))
    if doubtful:
        names = ", ".join(signals.modes()[each.mode].clause for each in doubtful[:4])
        more = f" and {len(doubtful) - 4} more" if len(doubtful) > 4 else ""
        yield Unsure(
            subject.id,
            f"whether an alert notices when {names}{more}: {doubtful[0].why}",
            _wanted(doubtful[0].rules[0]),
            subject.place,
        )


def _wanted(rule: Rule) -> str:
    if rule.is_hidden:
        return f"{_NOTICES}, beside the rules of the other import"
    return f"{_NOTICES}.{rule.name}"


def _fail(subject: Subject, cells: list[Cell], missing: list[Cell]) -> Fail:
    titles = [signals.modes()[each.mode].clause for each in missing[:5]]
    terms = tuple(_term(each) for each in cells)
    count = len(missing)
    quantity = Quantity(
        "failure_modes_without_alert", count, "failure modes", "failure modes − those that a rule notices", terms
    )
    covered = [each for each in cells if each.state == State.COVERED]
    by = ""
    if covered:
        named = dict.fromkeys(_name(rule) for each in covered for rule in each.rules[:1])
        by = f" Others are noticed, by {', '.join(list(named)[:4])}{' …' if len(named) > 4 else ''}."
    shown = "; ".join(titles) + (f"; and {count - 5} more" if count > 5 else "")
    name = subject.id.rpartition("/")[2]
    ways = f"for {count} of {len(cells)} ways to fail" if count > 1 else f"when {titles[0]}"
    return Fail(
        subject.id,
        f"{name}: no alert {ways}",
        f"No rule that is known here would tell when {shown}.{by}",
        (subject.place,),
        (quantity,),
        _severity(cells, missing),
        homes=(subject.place.path,),  # what has one name is one subject, in however many files it stands
    )


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


def _severity(cells: list[Cell], missing: list[Cell]) -> Severity:
    """That of the worst that goes unnoticed; high only where no alert at all would tell of an outage of it."""
    worst = min((signals.modes()[each.mode].severity for each in missing), key=_RANKS.__getitem__)
    of_outages = [each for each in cells if signals.modes()[each.mode].severity == Severity.HIGH]
    if worst == Severity.HIGH and any(each.state != State.NONE for each in of_outages):
        return Severity.MEDIUM
    return worst


def _term(cell: Cell) -> Input:
    if cell.state == State.COVERED:
        rule = cell.rules[0]
        told = f"{rule.name} opens after {_seconds(rule)}"
        return Input(cell.mode, told, "", Source.FILE, rule.place.path, rule.place.line)
    place = cell.subject.place
    return Input(cell.mode, str(cell.state), "", Source.FILE, place.path, place.line, cell.why)


def _name(rule: Rule) -> str:
    return "alerts of other imports" if rule.is_hidden else rule.name


def _seconds(rule: Rule) -> str:
    if rule.worst is not None:
        return f"{rule.worst:g} s at the latest"
    return f"{rule.best:g} s at the soonest" if rule.best is not None else "a time that is not known"
