"""Every alert among the files, in whatever language it is written: what it would notice, and when it opens. PURE."""

from collections.abc import Iterator, Mapping
from typing import Any

from findings.checks import alert_delay, queries, signals
from findings.checks.alert_delay import Opens, prometheus_seconds
from findings.checks.base import Unsure
from findings.checks.signal_loss import opens_on_loss
from findings.checks.signals import Meaning, Sense
from findings.platform import alarm_actions, alertmanager, alerts, grafana, grafana_policies, notified
from findings.platform.alarm_actions import Reach
from findings.platform.model import Platform
from findings.platform.promql import Matcher
from findings.platform.units import number, stated_text
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place, Sourced, Unknown


@record(frozen=True, slots=True)
class Rule:
    """One alert. Seconds until it opens: `worst` is None when only a lower bound is known, `best` when nothing is."""

    name: str
    language: str
    senses: tuple[Sense, ...]
    reason: str  # why it is not understood, or not as a whole
    place: Place
    best: float | None = None
    worst: float | None = None
    wait_reason: str = ""
    severity: str = ""
    hints: tuple[str, ...] = ()  # modes that it may be about although it is not understood
    origin: int = 0  # the import that it is of, where it is not among the files
    is_hidden: bool = False  # it counts, and only that it does may be told


def rules(platform: Platform) -> Iterator[Rule]:
    found = (_prometheus, _grafana, _newrelic, _cloudwatch, _datadog)
    for each in (rule for language in found for rule in language(platform)):
        yield _as_stated(platform, each)


def _as_stated(platform: Platform, rule: Rule) -> Rule:
    """The facts say what a rule notices that nothing here understands: `alerting.notices.NAME`."""
    stated = platform.facts.get("alerting.notices")
    listed = stated.value.get(rule.name) if stated is not None and isinstance(stated.value, Mapping) else None
    if not isinstance(listed, list):
        return rule
    named = [str(each) for each in listed if str(each) in signals.modes()]
    senses = tuple(Sense(mode, "stated in the facts") for mode in named)
    return _but(rule, senses=(*rule.senses, *senses), reason="", hints=())


def _but(rule: Rule, **fields: Any) -> Rule:
    return Rule(**({name: getattr(rule, name) for name in Rule.__dataclass_fields__} | fields))


def _made(name: str, language: str, meaning: Meaning, place: Place, words: str, **fields: Any) -> Rule:
    hints = signals.hinted(f"{name} {words}") if meaning.reason else ()
    return Rule(name, language, meaning.senses, meaning.reason, place, hints=hints, **fields)


def _prometheus(platform: Platform) -> Iterator[Rule]:
    records, times = alerts.recording_rules(platform), alerts.prometheus_times(platform)
    for file in alerts.prometheus_rules(platform):
        for alert in file.alerts:
            if alertmanager.is_for_nobody(platform, alert):
                continue
            meaning = signals.of_promql(alert.expression, records)
            words = f"{alert.words} {alert.expression}"
            waits = _prometheus_wait(alert, file, times)
            yield _made(alert.name, "promql", meaning, alert.place, words, severity=alert.severity, **waits)


def _prometheus_wait(
    alert: alerts.PrometheusAlert, file: alerts.RuleFile, times: alerts.PrometheusTimes
) -> dict[str, Any]:
    if isinstance(alert.hold, Unknown):
        return {"wait_reason": alert.hold.reason}
    scrape, evaluation, wait = times.scrape, file.interval or times.evaluation, times.group_wait
    if isinstance(scrape, Unknown) or isinstance(evaluation, Unknown) or isinstance(wait, Unknown):
        missing = next(each for each in (scrape, evaluation, wait) if isinstance(each, Unknown))
        return {"best": alert.hold.value, "wait_reason": missing.reason}
    best, worst = prometheus_seconds(scrape.value, evaluation.value, alert.hold.value, wait.value)
    return {"best": best, "worst": worst}


def _grafana(platform: Platform) -> Iterator[Rule]:
    records = alerts.recording_rules(platform)
    for group in grafana.groups(platform):
        for rule in group.rules:
            if grafana_policies.is_for_nobody(platform, rule):
                continue
            meaning = signals.of_promql(rule.expression, records) if rule.expression else Meaning(reason=rule.reason)
            if rule.no_data in ("NoData", "Alerting") and not rule.filters:
                meaning = Meaning((*meaning.senses, Sense("signal-lost", "noDataState")), meaning.reason)
            wait = _wait(alert_delay.grafana(group, rule))
            words = f"{rule.words} {rule.expression}"
            yield _made(rule.title, "grafana", meaning, rule.place, words, severity=rule.severity, **wait)


def _wait(opens: "Opens | Unsure | None") -> dict[str, Any]:
    if isinstance(opens, Opens):
        reason = opens.missing.reason if opens.missing is not None else ""
        return {"best": opens.best, "worst": opens.worst, "wait_reason": reason}
    return {"wait_reason": opens.reason if opens is not None else ""}


def _newrelic(platform: Platform) -> Iterator[Rule]:
    untold = notified.untold(platform)
    for condition in alerts.nrql_conditions(platform):
        opens = alert_delay.newrelic(condition)
        if opens is None or condition.is_fragment or condition.place in untold:
            continue
        query = stated_text(condition.query)
        operator = stated_text((condition.term or {}).get("operator")) or stated_text(
            condition.get("baseline_direction")
        )
        if not query:
            known = condition.query
            meaning = Meaning(reason=known.reason if isinstance(known, Unknown) else "its query is not stated")
        elif not operator:
            meaning = Meaning(reason="whether it opens above or below its threshold is not known")
        else:
            meaning = queries.of_nrql(query, signals.directions_of(operator))
        expiration, on_loss = condition.get("expiration_duration"), condition.get("open_violation_on_expiration")
        seconds = number(expiration.value) if isinstance(expiration, Sourced) else None
        if opens_on_loss(seconds, opens=isinstance(on_loss, Sourced) and on_loss.value is True):
            meaning = Meaning((*meaning.senses, Sense("signal-lost", "expiration_duration")), meaning.reason)
        name = stated_text(condition.get("name")) or condition.id
        yield _made(name, "nrql", meaning, condition.place, f"{condition.id} {query}", **_wait(opens))


# What opens and tells no person notices nothing for anybody.
_NO_PEOPLE = (Reach.NOBODY, Reach.MACHINES)


def _cloudwatch(platform: Platform) -> Iterator[Rule]:
    told = alarm_actions.told(platform)
    for alarm in alerts.cloudwatch_alarms(platform):
        opens = alert_delay.cloudwatch(alarm)
        if opens is None or (alarm.place in told and told[alarm.place].reach in _NO_PEOPLE):
            continue
        stated = alarm.stated
        meaning = _of_alarm(alarm)
        if stated_text(stated.get("treat_missing_data")).lower() == "breaching":
            meaning = Meaning((*meaning.senses, Sense("signal-lost", "treat_missing_data")), meaning.reason)
        name = stated_text(stated.get("alarm_name")) or alarm.id
        words = f"{alarm.id} {stated_text(stated.get('metric_name'))} {stated_text(stated.get('alarm_description'))}"
        yield _made(name, "cloudwatch", meaning, alarm.place, words, **_wait(opens))
    for block in platform.terraform(*alarm_actions.COMPOSITES):
        if told[block.place()].reach in _NO_PEOPLE:
            continue
        name = stated_text(block.get("alarm_name")) or block.id
        meaning = Meaning(reason=queries.COMBINES)
        yield _made(name, "cloudwatch", meaning, block.place(), f"{block.id} {stated_text(block.get('alarm_rule'))}")


def _of_alarm(alarm: alerts.Alarm) -> Meaning:
    operator = stated_text(alarm.stated.get("comparison_operator"))
    directions = signals.directions_of(operator)
    metric = _metric(alarm.stated)
    if not operator or (metric is None and not alarm.queries):
        return Meaning(reason="its metric, namespace or comparison is not known")
    if metric is not None:
        return queries.of_metric("cloudwatch", metric[0], directions, metric[1])
    expressions: dict[str, str] = {}
    metrics: dict[str, tuple[str, tuple[Matcher, ...]]] = {}
    asked = stated_text(alarm.stated.get("threshold_metric_id"))
    for query in alarm.queries:
        id_ = stated_text(query.get("id"))
        expressions[id_] = stated_text(query.get("expression"))
        inner = next((found for each in query.inner("metric") if (found := _metric(each.attributes))), None)
        if inner is not None:
            metrics[id_] = inner
        returned = query.get("return_data")
        if not asked and isinstance(returned, Sourced) and returned.value is True:
            asked = id_
    return queries.of_math(expressions, metrics, asked, directions)


def _metric(stated: Mapping[str, Any]) -> tuple[str, tuple[Matcher, ...]] | None:
    """`namespace/name` and whose it is."""
    metric, space = stated_text(stated.get("metric_name")), stated_text(stated.get("namespace"))
    return (f"{space}/{metric}", _dimensions(stated)) if metric and space else None


def _dimensions(of: Mapping[str, Any]) -> tuple[Matcher, ...]:
    stated = of.get("dimensions")
    held = stated.value if isinstance(stated, Sourced) and isinstance(stated.value, Mapping) else {}
    return tuple(Matcher(signals.NAMED, "=", value) for value in held.values() if isinstance(value, str))


def _datadog(platform: Platform) -> Iterator[Rule]:
    untold = notified.untold(platform)
    for monitor in alerts.datadog_monitors(platform, of_metrics=False):
        if monitor.place in untold:
            continue
        query, kind = stated_text(monitor.stated.get("query")), stated_text(monitor.stated.get("type"))
        meaning = queries.of_datadog(query, kind) if query else Meaning(reason="its query is not known")
        missing, new = monitor.stated.get("notify_no_data"), stated_text(monitor.stated.get("on_missing_data"))
        if (isinstance(missing, Sourced) and missing.value is True) or new == "show_and_notify_no_data":
            meaning = Meaning((*meaning.senses, Sense("signal-lost", "notify_no_data")), meaning.reason)
        name = stated_text(monitor.stated.get("name")) or monitor.id
        yield _made(
            name, "datadog", meaning, monitor.place, f"{monitor.id} {query}", **_wait(alert_delay.datadog(monitor))
        )
