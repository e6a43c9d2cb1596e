"""3.1: how long an outage lasts before its alert opens, and how much of the error budget is spent by then."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.checks.words import counted
from findings.platform import alerts
from findings.platform import grafana as own
from findings.platform.model import Platform, places
from findings.platform.objectives import Objective, objective
from findings.platform.units import number, seconds
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.budget import budget_minutes, burned_percent, target_of_rate
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="alert-delay",
    seed="3.1",
    title="The alert opens long after the outage began",
    severity=Severity.HIGH,
    category=Category.PERFORMANCE,
    outcome=Outcome.OUTAGE,
    means="An outage has to last for minutes before its condition opens: the threshold's duration, the delay that "
    "late data is given, and the window in which data is gathered add up.",
    why="Until the alert opens nobody works on the outage. With a strict objective the error budget may be spent "
    "before anybody is told, and what depends on the service fails in the meantime.",
    not_a_problem="The condition watches something slow, such as a disk that fills over days, and another one with a "
    "short window watches what users see. Days until a certificate expires, and charges, pass whatever their window.",
    remedy="Watch what users see with short windows and burn rates over two windows. Lower the delay only to what the "
    "data needs to arrive: a delay of 0 drops late points instead of being faster.",
    patch="""aggregation_window = 30
aggregation_method = "event_flow"
aggregation_delay  = 60

critical {
  operator              = "above"
  threshold             = 5
  threshold_duration    = 60
  threshold_occurrences = "at_least_once"
}""",
    analysis="It adds window and delay to 180 s, and burns 0.6 % of the budget. With ALL the threshold's duration "
    "counts too: 420 to 480 s. 0.2 % a minute is the budget of an objective of 98.84 % in 30 days; with "
    "99.95 % in 7 days, 3 minutes are 59.5 % of it, and 8 minutes 158.7 %.",
    remedies=("alert-delays",),
    references=(
        "https://docs.newrelic.com/docs/alerts/create-alert/fine-tune/streaming-alerts-key-terms-concepts/",
        "https://sre.google/workbook/alerting-on-slos/",
        "https://prometheus.io/docs/alerting/latest/configuration/#route",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
        "https://docs.datadoghq.com/monitors/configuration/",
    ),
)

_SECONDS = 180  # without an objective: three minutes
_SHARE = 5.0  # % of the error budget: what the SRE workbook pages for at the latest
_PLAN = "threshold_duration and threshold_occurrences of its critical threshold"


def newrelic_seconds(
    window: float, delay: float, duration: float, occurrences: str, slide_by: float | None = None
) -> tuple[float, float]:
    """(best, worst) seconds from the start of an outage until a NRQL condition opens.

    With ALL every window of the duration has to be bad, and the first that is wholly bad begins up to one window
    late (one step of a sliding window). AT_LEAST_ONCE needs one window.
    Source: New Relic, streaming alerts: aggregation window, delay and threshold duration.
    """
    if occurrences == "AT_LEAST_ONCE":
        return window + delay, window + delay
    best = max(duration, window) + delay
    return best, best + (slide_by or window)


def cloudwatch_seconds(
    period: float, evaluation_periods: float, datapoints: float | None = None
) -> tuple[float, float]:
    """(best, worst) seconds until a CloudWatch alarm: the periods that have to be bad, and one more for alignment.

    Source: Amazon CloudWatch, evaluating an alarm.
    """
    best = period * min(datapoints or evaluation_periods, evaluation_periods)
    return best, best + period


def datadog_seconds(window: float, delay: float, *, whole: bool) -> tuple[float, float]:
    """(best, worst) seconds until a Datadog monitor alerts, which looks once a minute.

    An average crosses its threshold at the latest when its window is bad as a whole; a minimum not before.
    Source: Datadog, configure monitors: evaluation window and evaluation delay.
    """
    return (window if whole else 0) + delay, window + delay + 60


def prometheus_seconds(scrape: float, evaluation: float, hold: float, group_wait: float) -> tuple[float, float]:
    """(best, worst) seconds until Alertmanager notifies: at worst a scrape and an evaluation have just passed.

    Source: Prometheus, alerting rules (for); Alertmanager, group_wait.
    """
    return hold + group_wait, scrape + evaluation + hold + group_wait


def grafana_seconds(interval: float, hold: float, window: float, *, whole: bool) -> tuple[float, float]:
    """(best, worst) seconds until a rule of Grafana's own fires: it looks once an interval and fires at the first look
    at which its pending period is over. A mean over a range crosses its threshold at the latest when all of the range
    is bad; a minimum not before.

    Source: Grafana, alert rule evaluation (evaluation group, pending period); reduce expressions.
    """
    pending = math.ceil(hold / interval) * interval if interval > 0 else hold
    return (window if whole else 0) + pending, interval + window + pending


@dataclass(frozen=True)
class Opens:
    """When a condition opens, from what. `worst` is None when only a lower bound is known, for the reason `missing`."""

    subject: str
    best: float
    worst: float | None
    formula: tuple[str, str]
    terms: tuple[Input, ...]
    places: tuple[Place, ...]
    missing: Unknown | None = None
    notes: tuple[str, ...] = ()
    of: str = "It"


def run(platform: Platform) -> Iterator[Verdict]:
    held = objective(platform)
    times = alerts.prometheus_times(platform)
    found = [
        *((newrelic(each), each.query) for each in alerts.nrql_conditions(platform)),
        *((cloudwatch(each), each.stated.get("metric_name")) for each in alerts.cloudwatch_alarms(platform)),
        *((datadog(each), each.stated.get("query")) for each in alerts.datadog_monitors(platform)),
        *((_prometheus(rules, times, held), None) for rules in alerts.prometheus_rules(platform)),
        *((_grafana(group, held), None) for group in own.groups(platform)),
    ]
    late: list[Place] = []
    for opens, watched in found:
        if isinstance(opens, Opens) and _warns_ahead(watched):
            yield Pass(opens.subject, opens.places)
            continue
        for verdict in _judged(opens, held):
            if isinstance(verdict, Fail):
                late += verdict.places[:1]
            yield verdict
    if late and isinstance(held, Unknown):
        before = counted(len(late), "conditions")
        reason = f"which share of the error budget is spent before {before} can open: {held.reason}"
        yield Unsure("error budget", reason, held.provide, late[0])


_AHEAD = re.compile(
    r"days_?(?:left|to_?expir|until_?expir|remaining)|(?:cert|ssl|tls)\w{0,40}(?:expir|not_?after)|EstimatedCharges",
    re.IGNORECASE,
)


def _warns_ahead(watched: alerts.Stated | None) -> bool:
    """Whether it counts the days until a certificate expires, or money: no outage has begun when it opens, and its
    long window takes nothing from anybody."""
    text = watched.partial if isinstance(watched, Unknown) else str(watched.value) if watched is not None else ""
    return _AHEAD.search(text[:4000]) is not None


def _judged(opens: "Opens | Unsure | None", held: Objective | Unknown) -> Iterator[Verdict]:
    if opens is None:
        return
    if isinstance(opens, Unsure):
        yield opens
        return
    longest = opens.worst if opens.worst is not None else opens.best
    share = None if isinstance(held, Unknown) else burned_percent(longest, held.target.value, held.days.value)
    if (longest >= _SECONDS) if share is None else (share >= _SHARE):
        yield _fail(opens, held, share)
    elif opens.missing is None:
        yield Pass(opens.subject, opens.places)
    if opens.missing is not None:
        yield Unsure(opens.subject, opens.missing.reason, opens.missing.provide, opens.missing.place)


def _fail(opens: Opens, held: Objective | Unknown, share: float | None) -> Fail:
    quantities = [Quantity("time_to_open_best_seconds", opens.best, "s", opens.formula[0], opens.terms, opens.notes)]
    shown = f"at least {opens.best:g}"
    if opens.worst is not None:
        quantities.append(
            Quantity("time_to_open_worst_seconds", opens.worst, "s", opens.formula[1], opens.terms, opens.notes)
        )
        shown = f"{opens.best:g} to {opens.worst:g}" if opens.best != opens.worst else f"{opens.best:g}"
    title, why, severity = f"Opens {shown} s after an outage begins", "", Severity.MEDIUM
    if share is not None and isinstance(held, Objective):
        quantities.append(_burned(opens, held, share))
        title += (
            f", with {share:.3g} % of the error budget spent" if share < 100 else ", after the error budget is spent"
        )
        allowed = budget_minutes(held.target.value, held.days.value)
        why = f" An objective of {held.target.value:g} % over {held.days.value:g} days allows {allowed:.4g} minutes."
        severity = Severity.CRITICAL if share >= 100 else Severity.HIGH
    return Fail(
        opens.subject,
        title,
        f"{opens.of} opens {shown} seconds after a total outage begins.{why}",
        opens.places,
        tuple(quantities),
        severity,
    )


def _burned(opens: Opens, held: Objective, share: float) -> Quantity:
    which = "worst" if opens.worst is not None else "best"
    outage = opens.worst if opens.worst is not None else opens.best
    terms = (
        Input(f"time_to_open_{which}", outage, "s", Source.FILE, *_where(opens)),
        input_of("slo_target", held.target, "%"),
        input_of("slo_window", held.days, "d"),
    )
    assumed = (
        "The outage is total: every request fails.",
        f"0.2 % of the budget a minute would be an objective of {target_of_rate(0.2, held.days.value):.2f} %.",
    )
    return Quantity("error_budget_burned_percent", share, "%", "time to open ÷ ((1 − target) × window)", terms, assumed)


def _where(opens: Opens) -> tuple[str, int | None]:
    return (opens.places[0].path, opens.places[0].line) if opens.places else ("", None)


def _or(stated: Any, default: float, name: str, place: Place) -> Sourced[float] | Unknown:
    """A number that is stated, also as text; else New Relic's default."""
    if stated is None:
        return Sourced(default, Source.PROVIDER_DEFAULT, place, f"New Relic: {name} defaults to {default:g} s")
    if isinstance(stated, Unknown):
        return stated
    value = number(stated.value)
    if value is None or value < 0:
        return Unknown(f"{name} is {stated.value!r}", f"a number of seconds as {name}", stated.place)
    return Sourced(value, stated.source, stated.place, stated.note)


def newrelic(condition: alerts.Nrql) -> Opens | Unsure | None:
    """When it opens; None for one that is switched off."""
    enabled = condition.get("enabled")
    if isinstance(enabled, Sourced) and enabled.value is False:
        return None
    method = condition.get("aggregation_method")
    is_timer = isinstance(method, Sourced) and str(method.value).lower() == "event_timer"
    name, default = ("aggregation_timer", 60) if is_timer else ("aggregation_delay", 120)
    window = _or(condition.get("aggregation_window"), 60, "aggregation_window", condition.place)
    delay = _or(condition.get(name), default, name, condition.place)
    if isinstance(window, Unknown):
        return Unsure(condition.id, window.reason, window.provide, condition.place)
    if isinstance(delay, Unknown):
        return Unsure(condition.id, delay.reason, delay.provide, condition.place)
    terms = [input_of("aggregation_window", window, "s"), input_of(name, delay, "s")]
    at = places(delay, window, condition.place)
    duration, occurrences = _term(condition)
    if isinstance(duration, Unknown) or isinstance(occurrences, Unknown):
        missing = duration if isinstance(duration, Unknown) else occurrences
        assert isinstance(missing, Unknown)
        least = window.value + delay.value
        formula = ("window + delay", "")
        return Opens(condition.id, least, None, formula, tuple(terms), at, missing, (_LEAST,), "The condition")
    slide = condition.get("slide_by")
    step = number(slide.value) if isinstance(slide, Sourced) else None
    best, worst = newrelic_seconds(window.value, delay.value, duration.value, occurrences.value, step)
    terms += [input_of("threshold_duration", duration, "s"), input_of("threshold_occurrences", occurrences, "")]
    if step and isinstance(slide, Sourced):
        terms.append(input_of("slide_by", slide, "s"))
    formula = ("window + delay", "window + delay")
    notes: tuple[str, ...] = ()
    if occurrences.value == "ALL":
        formula, notes = ("duration + delay", "duration + delay + one window"), (_all(window.value + delay.value),)
    at = places(duration, delay, window, condition.place)
    return Opens(condition.id, best, worst, formula, tuple(terms), at, None, notes, "The condition")


_LEAST = (
    "No threshold opens sooner than one window and the delay; with ALL the threshold's duration counts instead of the "
    "window, and up to one window more."
)


def _all(alone: float) -> str:
    return f"Window and delay alone would be {alone:g} s: with ALL the threshold's whole duration has to be bad first."


def _term(condition: alerts.Nrql) -> tuple[Sourced[float] | Unknown, Sourced[str] | Unknown]:
    term: Mapping[str, Any] = condition.term or {}
    duration = term.get("threshold_duration")
    if duration is None and isinstance(term.get("duration"), Sourced):
        duration = term["duration"].map(lambda value: (number(value) or 0) * 60)  # deprecated, in minutes
    occurrences = term.get("threshold_occurrences")
    if occurrences is None:
        occurrences = term.get("time_function")
    length: Sourced[float] | Unknown = Unknown("the threshold's duration is not stated", _PLAN, condition.place)
    if isinstance(duration, Unknown):
        length = duration
    elif duration is not None and number(duration.value) is not None:
        length = duration.map(lambda value: number(value) or 0)
    how: Sourced[str] | Unknown = Unknown("threshold_occurrences is not stated", _PLAN, condition.place)
    if isinstance(occurrences, Unknown):
        how = occurrences
    elif occurrences is not None:
        how = occurrences.map(lambda value: "ALL" if str(value).upper() == "ALL" else "AT_LEAST_ONCE")
    return length, how


def cloudwatch(alarm: alerts.Alarm) -> Opens | Unsure | None:
    """When it alarms; None for one whose actions are switched off."""
    enabled = alarm.stated.get("actions_enabled")
    if isinstance(enabled, Sourced) and enabled.value is False:
        return None
    period = _period(alarm) if alarm.queries else _stated(alarm, "period")
    evaluations = _stated(alarm, "evaluation_periods")
    for each in (period, evaluations):
        if isinstance(each, Unknown):
            return Unsure(alarm.id, each.reason, each.provide, alarm.place)
    assert isinstance(period, Sourced)
    assert isinstance(evaluations, Sourced)
    terms = [input_of("period", period, "s"), input_of("evaluation_periods", evaluations, "periods")]
    points = alarm.stated.get("datapoints_to_alarm")
    if isinstance(points, Unknown):
        return Unsure(alarm.id, points.reason, points.provide, alarm.place)
    enough = number(points.value) if points is not None else None
    if points is not None and enough:
        terms.append(input_of("datapoints_to_alarm", points, "points"))
    best, worst = cloudwatch_seconds(period.value, evaluations.value, enough)
    formula = ("period × bad periods needed", "period × bad periods needed + one period")
    return Opens(alarm.id, best, worst, formula, tuple(terms), places(period, evaluations, alarm.place), None,
                  ("The outage begins up to one period before a period does.",), "The alarm")  # fmt: skip


def _period(alarm: alerts.Alarm) -> Sourced[float] | Unknown:
    """Of an alarm on queries, as one on a band around what is expected is: their periods stand within them."""
    inner = [each.get("period") for query in alarm.queries for each in (query, *query.inner("metric"))]
    stated = [each for each in inner if isinstance(each, Sourced) and number(each.value)]
    unknown = next((each for each in inner if isinstance(each, Unknown)), None)
    if unknown is not None:
        return unknown
    lengths = sorted({number(each.value) or 0 for each in stated})
    if len(lengths) == 1:
        return stated[0].map(lambda _: float(lengths[0]))
    told = f"have periods of {lengths[0]:g} to {lengths[-1]:g} s" if lengths else "state no period"
    return Unknown(f"the queries that it compares {told}", "one period in the metric of each metric_query", alarm.place)


def _stated(alarm: alerts.Alarm, name: str) -> Sourced[float] | Unknown:
    stated = alarm.stated.get(name)
    if isinstance(stated, Unknown):
        return stated
    value = number(stated.value) if stated is not None else None
    if stated is None or value is None or value <= 0:
        told = "is not stated" if stated is None else f"is {stated.value!r}, which is no number above 0"
        return Unknown(f"{name} {told}", f"a number as {name} of the alarm", alarm.place)
    return stated.map(lambda _: value)


_WINDOW = re.compile(r"\s*(?P<how>[a-z]+)\(last_(?P<length>\d+[smhdw])\):")


def datadog(monitor: alerts.Monitor) -> Opens | Unsure | None:
    query = monitor.stated.get("query")
    if isinstance(query, Unknown):
        return Unsure(monitor.id, query.reason, query.provide, monitor.place)
    found = _WINDOW.match(str(query.value)) if query is not None else None
    window = seconds(found["length"]) if found else None
    if query is None or found is None or window is None:
        return Unsure(
            monitor.id, "the window of its query cannot be read", "avg(last_5m): before the query", monitor.place
        )
    delay = monitor.stated.get("evaluation_delay")
    if isinstance(delay, Unknown):
        return Unsure(monitor.id, delay.reason, delay.provide, delay.place)
    waits = number(delay.value) if delay is not None else 0
    # With "above", only a minimum needs its whole window to be bad; with "below", only a maximum.
    whole = found["how"] == ("max" if re.search(r"<=?\s*[-\d.]+\s*\Z", str(query.value)) else "min")
    best, worst = datadog_seconds(window, waits or 0, whole=whole)
    terms = [Input("window", window, "s", Source.FILE, query.place.path, query.place.line)]
    if delay is not None:
        terms.append(input_of("evaluation_delay", delay, "s"))
    formula = ("window + delay" if whole else "delay", "window + delay + one minute")
    at = places(query, delay, monitor.place)
    return Opens(monitor.id, best, worst, formula, tuple(terms), at, None, (), "The monitor")


def _prometheus(
    rules: alerts.RuleFile, times: alerts.PrometheusTimes, held: Objective | Unknown
) -> Opens | Unsure | None:
    paging = [(alert, alert.hold) for alert in rules.alerts if alert.pages and isinstance(alert.hold, Sourced)]
    if not paging:
        return None
    if isinstance(held, Unknown):
        # Which of them watch an outage, and how fast is fast enough, the rules do not say.
        return Unsure(rules.id, f"{len(paging)} of its alerts page; {held.reason}", held.provide, rules.place)
    slowest, hold = max(paging, key=lambda pair: pair[1].value)
    at = places(slowest.place, hold)
    terms = [input_of("for", hold, "s")]
    scrape, evaluation, wait = times.scrape, rules.interval or times.evaluation, times.group_wait
    if isinstance(scrape, Unknown) or isinstance(evaluation, Unknown) or isinstance(wait, Unknown):
        missing = next(each for each in (scrape, evaluation, wait) if isinstance(each, Unknown))
        notes = ("No alert opens sooner than its own duration.",)
        return Opens(rules.id, hold.value, None, ("for", ""), tuple(terms), at, missing, notes, slowest.name)
    best, worst = prometheus_seconds(scrape.value, evaluation.value, hold.value, wait.value)
    named = (("scrape_interval", scrape), ("evaluation_interval", evaluation), ("group_wait", wait))
    terms += [input_of(name, each, "s") for name, each in named]
    formula = ("for + group wait", "scrape + evaluation + for + group wait")
    of = f"Its slowest paging alert, {slowest.name},"
    return Opens(rules.id, best, worst, formula, tuple(terms), at, None, (), of)


def grafana(group: own.Group, rule: own.GrafanaRule) -> Opens | Unsure:
    """When a rule of Grafana's own fires. Its notification policy gathers for a while on top, as Alertmanager does."""
    for each in (group.interval, rule.hold):
        if isinstance(each, Unknown):
            return Unsure(f"{group.id} {rule.title}", each.reason, each.provide, rule.place)
    assert isinstance(group.interval, Sourced)
    assert isinstance(rule.hold, Sourced)
    interval, hold = group.interval, rule.hold
    terms = [input_of("interval", interval, "s"), input_of("for", hold, "s")]
    range_best, range_worst = "", ""
    if rule.range_seconds:
        terms.append(Input("range", rule.range_seconds, "s", Source.FILE, rule.place.path, rule.place.line))
        range_best, range_worst = " + range" if rule.needs_whole_range else "", " + range"
    best, worst = grafana_seconds(interval.value, hold.value, rule.range_seconds, whole=rule.needs_whole_range)
    formula = (f"for, in whole intervals{range_best}", f"interval + for, in whole intervals{range_worst}")
    at = places(rule.place, hold, interval)
    return Opens(group.id, best, worst, formula, tuple(terms), at, None, (_POLICY,), f"Its alert {rule.title}")


_POLICY = "The notification policy waits for more of a group on top: 30 s, unless it says otherwise."


def _grafana(group: own.Group, held: Objective | Unknown) -> Opens | Unsure | None:
    """Of its alerts that page, the slowest: as of a file of Prometheus' rules."""
    paging = [rule for rule in group.rules if alerts.pages(rule.severity)]
    if not paging:
        return None
    if isinstance(held, Unknown):
        return Unsure(group.id, f"{len(paging)} of its alerts page; {held.reason}", held.provide, group.place)
    found = [grafana(group, rule) for rule in paging]
    known = [each for each in found if isinstance(each, Opens)]
    return max(known, key=lambda each: each.worst or 0) if known else found[0]
