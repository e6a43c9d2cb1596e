"""3.1, conclusion: conditions that stay silent when the data itself stops."""

import re
from collections.abc import Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform import alertmanager, alerts, grafana
from findings.platform.model import Platform
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown

META = Meta(
    id="signal-loss",
    seed="3.1",
    title="Conditions stay silent when the data stops",
    severity=Severity.HIGH,
    category=Category.PERFORMANCE,
    outcome=Outcome.OUTAGE,
    means="When what is watched stops reporting, these conditions never open: without new points there is nothing to "
    "compare with the threshold.",
    why="A total outage stops the data too. The condition is silent in the very outage it exists for, and the screens "
    "stay green.",
    not_a_problem="Another condition watches that the same data arrives, or having no data is normal here, as for "
    "errors that are counted only when they occur.",
    remedy="Open an incident when the signal is lost: an expiration in New Relic, breaching missing data in "
    "CloudWatch, an alert on up == 0 or absent() in Prometheus, noDataState: NoData or Alerting in Grafana.",
    patch="""expiration_duration          = 120
open_violation_on_expiration = true""",
    remedies=("alert-delays",),
    references=(
        "https://docs.newrelic.com/docs/alerts/create-alert/create-alert-condition/create-nrql-alert-conditions/",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
        "https://prometheus.io/docs/prometheus/latest/querying/functions/#absent",
        "https://docs.datadoghq.com/monitors/configuration/",
        "https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances/",
    ),
)
_LOSS = "expiration_duration and open_violation_on_expiration"


def run(platform: Platform) -> Iterator[Verdict]:
    yield from _newrelic(platform)
    yield from _cloudwatch(platform)
    yield from _datadog(platform)
    yield from _prometheus(platform)
    yield from _grafana(platform)


def opens_on_loss(expiration: float | None, *, opens: bool) -> bool:
    """Whether a NRQL condition opens when its signal is lost: only with an expiration that opens an incident. What
    fills gaps fills them between points, and after a total loss no further point arrives.

    Source: New Relic, loss of signal and gap filling.
    """
    return opens and expiration is not None and expiration > 0


def _newrelic(platform: Platform) -> Iterator[Verdict]:
    """One failure per file, which counts its silent conditions."""
    silent: dict[str, list[alerts.Nrql]] = {}
    for condition in alerts.nrql_conditions(platform):
        enabled = condition.get("enabled")
        if isinstance(enabled, Sourced) and enabled.value is False:
            continue
        expiration, opens = condition.get("expiration_duration"), condition.get("open_violation_on_expiration")
        if condition.is_fragment and expiration is None and opens is None:
            yield Unsure(condition.id, "only a part of the condition is here", _LOSS, condition.place)
            continue
        unknown = next((each for each in (expiration, opens) if isinstance(each, Unknown)), None)
        if unknown is not None:
            yield Unsure(condition.id, unknown.reason, unknown.provide, condition.place)
            continue
        seconds = expiration.value if isinstance(expiration, Sourced) and _is_number(expiration.value) else None
        if opens_on_loss(seconds, opens=isinstance(opens, Sourced) and opens.value is True):
            yield Pass(condition.id, (condition.place,))
        else:
            silent.setdefault(condition.place.path, []).append(condition)
    for path, found in silent.items():
        subjects = [(condition.id, condition.place, _how(condition)) for condition in found]
        yield _fail(path, subjects, "expiration_duration", "no expiration opens an incident")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _how(condition: alerts.Nrql) -> str:
    fill = condition.get("fill_option")
    return str(fill.value).lower() if isinstance(fill, Sourced) else "none"


def _fail(subject: str, found: list[tuple[str, Place, str]], input_name: str, because: str) -> Fail:
    terms = tuple(
        Input(f"fill_option of {id_}" if how else id_, how or "silent", "", Source.FILE, place.path, place.line)
        for id_, place, how in found
    )
    count = len(found)
    names = ", ".join(id_.rpartition(".")[2] for id_, _, _ in found[:5]) + (" …" if count > 5 else "")
    fills = {how for _, _, how in found if how} - {"none"}
    said = " A fill option fills gaps between points only." if fills else ""
    quantity = Quantity(
        "conditions_silent_on_loss", count, "conditions", f"conditions where {because}", terms, (f"By {input_name}.",)
    )
    return Fail(
        subject,
        f"{count} condition{'s' if count > 1 else ''} never open{'s' if count == 1 else ''} when the data stops",
        f"{names}: {because}.{said}",
        tuple(place for _, place, _ in found),
        (quantity,),
    )


def _cloudwatch(platform: Platform) -> Iterator[Verdict]:
    for alarm in alerts.cloudwatch_alarms(platform):
        enabled = alarm.stated.get("actions_enabled")
        if isinstance(enabled, Sourced) and enabled.value is False:
            continue  # switched off: it tells nobody anything
        missing, actions = alarm.stated.get("treat_missing_data"), alarm.stated.get("insufficient_data_actions")
        compared = alarm.stated.get("comparison_operator")
        unknown = next((each for each in (missing, actions, compared) if isinstance(each, Unknown)), None)
        tells = isinstance(actions, Unknown) or (isinstance(actions, Sourced) and bool(actions.value))
        treated = str(missing.value).lower() if isinstance(missing, Sourced) else "missing"
        if treated == "breaching" or tells:
            yield Pass(alarm.id, (alarm.place,))
        elif unknown is not None:
            yield Unsure(alarm.id, unknown.reason, unknown.provide, alarm.place)
        elif isinstance(compared, Sourced) and str(compared.value).startswith("LessThan"):
            if treated == "notbreaching" and _is_about_use(alarm):
                yield Pass(alarm.id, (alarm.place,))
                continue
            yield _fail(
                alarm.id, [(alarm.id, alarm.place, "")], "treat_missing_data", f"missing data counts as {treated}"
            )
        elif treated == "notbreaching":
            yield Pass(alarm.id, (alarm.place,))
        else:
            yield Unsure(
                alarm.id,
                "whether having no data is normal for its metric is not stated",
                "treat_missing_data: breaching, or notBreaching where no data means no fault",
                alarm.place,
            )


_USE = re.compile(r".*(?:utili[sz]ation|utili[sz]ed|usage)(?:_?percent)?", re.IGNORECASE)


def _is_about_use(alarm: alerts.Alarm) -> bool:
    """Little use is no fault: such an alarm takes capacity away, which it must not do because data is missing."""
    metric = alarm.stated.get("metric_name")
    return isinstance(metric, Sourced) and _USE.fullmatch(str(metric.value)[:200]) is not None


# What Datadog's agent measures of the host it runs on, and by itself: it stops when the agent does, and only then.
_OF_HOSTS = re.compile(r"\s*[a-z_]+\([^)]{1,40}\):\s*(?:\w+:)?(?:system|ntp|network\.http)\.")
_HEARTBEAT = re.compile(r"""\s*["']datadog\.agent\.up["']\.over\(["']\*["']\)""")


def _heartbeat(platform: Platform) -> alerts.Monitor | None:
    """The monitor that opens when an agent of any host falls silent."""
    for monitor in alerts.datadog_monitors(platform, of_metrics=False):
        query, told = monitor.stated.get("query"), monitor.stated.get("notify_no_data")
        if (
            isinstance(query, Sourced)
            and _HEARTBEAT.match(str(query.value))
            and isinstance(told, Sourced)
            and told.value is True
        ):
            return monitor
    return None


def _datadog(platform: Platform) -> Iterator[Verdict]:
    heartbeat = _heartbeat(platform)
    for monitor in alerts.datadog_monitors(platform):
        old, new = monitor.stated.get("notify_no_data"), monitor.stated.get("on_missing_data")
        unknown = next((each for each in (old, new) if isinstance(each, Unknown)), None)
        if unknown is not None:
            yield Unsure(monitor.id, unknown.reason, unknown.provide, unknown.place)
        elif (isinstance(old, Sourced) and old.value is True) or (
            isinstance(new, Sourced) and new.value == "show_and_notify_no_data"
        ):
            yield Pass(monitor.id, (monitor.place,))
        elif heartbeat is not None and _is_of_hosts(monitor):
            yield Pass(monitor.id, (monitor.place, heartbeat.place))
        elif (unread := _what_it_is(monitor)) is not None:
            yield Unsure(monitor.id, unread.reason, unread.provide, unread.place)
        else:
            found = [(monitor.id, monitor.place, "")]
            yield _fail(monitor.id, found, "notify_no_data", "missing data notifies nobody")


def _what_it_is(monitor: alerts.Monitor) -> Unknown | None:
    """Why it is not known to be one of metrics: its type, or what it asks for, comes from elsewhere."""
    stated = (monitor.stated.get("type"), monitor.stated.get("query"))
    return next((each for each in stated if isinstance(each, Unknown)), None)


def _is_of_hosts(monitor: alerts.Monitor) -> bool:
    query = monitor.stated.get("query")
    return isinstance(query, Sourced) and _OF_HOSTS.match(str(query.value)) is not None


def _prometheus(platform: Platform) -> Iterator[Verdict]:
    """Rules on a series say nothing once it is gone: somewhere in the platform a rule has to watch for that."""
    files = list(alerts.prometheus_rules(platform))
    if _absence_is_watched(platform):
        for rules in files:
            yield Pass(rules.id, (rules.place,))
        return
    for rules in files:
        yield Unsure(
            rules.id,
            f"no rule here tells that a target or a series is gone, on which its {len(rules.alerts)} alerts rest",
            "the rule that does, on up == 0 or absent()",
            rules.place,
        )


def _absence_is_watched(platform: Platform) -> bool:
    """Whether a rule of Prometheus, or of Grafana's own, tells somebody that a target or a series is gone."""
    files = alerts.prometheus_rules(platform)
    heard = (alert for rules in files for alert in rules.alerts if not alertmanager.is_for_nobody(platform, alert))
    own = (rule.expression for group in grafana.groups(platform) for rule in group.rules)
    return any(alert.watches_absence for alert in heard) or any(map(alerts.watches_absence, own))


def _grafana(platform: Platform) -> Iterator[Verdict]:
    """Rules that treat no data as good, or keep the state that they had. Of those that open when something is too high
    it may be meant: no requests have no errors."""
    is_watched = _absence_is_watched(platform)
    for group in grafana.groups(platform):
        silent, doubtful = [], []
        for rule in group.rules:
            if not rule.no_data:
                reason = "what it does when there is no data is not known"
                yield Unsure(f"{group.id} {rule.title}", reason, "noDataState", rule.no_data_place)
            elif (
                not rule.is_silent_on_loss
                or rule.filters
                or (is_watched and not rule.is_below)
                or (alerts.watches_absence(rule.expression))
            ):
                yield Pass(f"{group.id} {rule.title}", (rule.place,))
            elif rule.is_below and rule.expression:
                silent.append((f"{rule.title}, noDataState {rule.no_data}", rule.no_data_place, ""))
            else:
                doubtful.append(rule)
        if silent:
            yield _fail(group.id, silent, "noDataState", "no data counts as good, or as what was before")
        if doubtful:
            yield Unsure(
                group.id,
                f"whether having no data is normal for {len(doubtful)} of its alerts is not stated, and none here "
                "tells that a target or a series is gone",
                "noDataState: NoData or Alerting, or an alert on up == 0 or absent()",
                doubtful[0].no_data_place,
            )
