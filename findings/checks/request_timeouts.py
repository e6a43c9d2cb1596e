"""Section 8: calls that wait without end, and retries that their deadline does not leave room for."""

import re
from collections.abc import Iterator

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Call, Platform, Resource, places
from findings.platform.nodes import items, mapping
from findings.platform.units import number, seconds
from findings.platform.yaml_reader import Map
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source

META = Meta(
    id="request-timeouts",
    seed="8",
    title="Calls wait without end",
    severity=Severity.MEDIUM,
    category=Category.PERFORMANCE,
    outcome=Outcome.CASCADE,
    means="A call to another service has no deadline, or fewer retries fit into its deadline than are asked for.",
    why="One dependency that hangs takes every thread that calls it, then every thread that calls those: a slow "
    "service becomes an outage of all that stand before it. Without a deadline no circuit breaker counts a "
    "failure.",
    not_a_problem="It is a tool that a person waits for (in folders of examples, scripts and command lines it weighs "
    "less), or the proxy between ends the call.",
    remedy="Give every call a deadline shorter than its caller's, bound the retries, and break the circuit when they "
    "fail.",
    patch="""requests.get(url, timeout=(1, 5))""",
    remedies=("request-timeouts", "circuit-breakers"),
    references=(
        "https://requests.readthedocs.io/en/latest/user/advanced/#timeouts",
        "https://docs.python.org/3/library/urllib.request.html#urllib.request.urlopen",
        "https://istio.io/latest/docs/concepts/traffic-management/#timeouts",
        "https://sre.google/sre-book/addressing-cascading-failures/",
    ),
)

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_ISTIO_ATTEMPTS = 2


def attempts_within(timeout: float, per_try: float) -> int:
    """Attempts that fit into a deadline when each uses its own up: timeout ÷ per-try timeout, at least one.

    Source: Istio, timeouts and retries of a VirtualService.
    """
    return max(1, int(round(timeout / per_try, 9)))  # 0.6 ÷ 0.2 is 3, and not a little less


def run(platform: Platform) -> Iterator[Verdict]:
    yield from _python(platform)
    for service in platform.of_kind("VirtualService"):
        yield from _istio(service)


# Python


def _python(platform: Platform) -> Iterator[Verdict]:
    """One failure per file, which counts its calls."""
    endless: dict[str, list[Call]] = {}
    bounded: dict[str, Call] = {}
    for call in platform.calls:
        waits = _waits(call)
        if waits:
            endless.setdefault(call.place.path, []).append(call)
        elif waits is False:
            bounded.setdefault(call.place.path, call)
    for path, calls in endless.items():
        terms = tuple(Input("call", call.name, "", Source.FILE, path, call.place.line) for call in calls)
        count = len(calls)
        yield Fail(
            path,
            f"{count} call{'s wait' if count > 1 else ' waits'} without end",
            f"{', '.join(dict.fromkeys(call.name for call in calls))}: no timeout is given, and there is no default.",
            tuple(call.place for call in calls),
            (Quantity("calls_without_timeout", count, "calls", "count", terms),),
            Severity.LOW if _BY_HAND.search(path) else None,
        )
    for path, call in bounded.items():
        if path not in endless:
            yield Pass(path, (call.place,))


# What people run and wait for: examples, command lines, and scripts of those who build and release.
_BY_HAND = re.compile(
    r"(?:^|/)(?:examples?(?:_\w+)?|samples?|demos?|docs?|scripts?|build[-_]?scripts|tools?|hack|dev|release|packaging|\.github"
    r"|(?:\w+[-_])?cli)/"
    r"|(?:^|/)(?:(?:ez_)?setup|hatch_build|(?:\w+_)?cli|cmd_\w+)\.py\Z",
    re.IGNORECASE,
)


def _waits(call: Call) -> bool | None:
    """Whether a call of HTTP has no deadline; None for any other call, and where it cannot be told."""
    module, _, method = call.name.rpartition(".")
    is_requests = module == "requests" and method in _METHODS
    is_urllib = method == "urlopen" and module in ("", "urllib.request", "request")
    is_httpx = module == "httpx" and method in (*_METHODS, "Client", "AsyncClient", "stream")
    if not (is_requests or is_urllib or is_httpx):
        return None
    timeout = call.arguments.get("timeout") or (call.arguments.get("2") if is_urllib else None)
    if timeout is not None:
        return timeout.value is None
    if "timeout" in call.computed or (is_urllib and "2" in call.computed):
        return False
    return None if "**" in call.computed else not is_httpx  # httpx waits 5 s by default


# Istio


def _istio(service: Resource) -> Iterator[Verdict]:
    for number_, route in enumerate(items(service.body, "spec.http")):
        if not isinstance(route, Map) or route.get("redirect"):
            continue
        subject = service.id if number_ == 0 else f"{service.id} http.{number_}"
        yield _route(subject, service, route)


def _route(subject: str, service: Resource, route: Map) -> Verdict:
    timeout = seconds(route.get("timeout"))
    retries = mapping(route, "retries")
    per_try = seconds(retries.get("perTryTimeout"))
    stated = number(retries.get("attempts"))
    if not timeout:
        reason = "the route has no deadline: Istio sets none by default, and those of its callers are not here"
        return Unsure(subject, reason, "timeout of its http route", service.place(route.line))
    retried = int(stated if stated is not None else _ISTIO_ATTEMPTS)
    if per_try and attempts_within(timeout, per_try) < retried + 1 and stated:
        path = service.path
        terms = (
            Input("timeout", timeout, "s", Source.FILE, path, route.lines["timeout"]),
            Input("per_try_timeout", per_try, "s", Source.FILE, path, retries.lines["perTryTimeout"]),
            Input("retries", retried, "retries", Source.FILE, path, retries.lines["attempts"]),
        )
        fit = attempts_within(timeout, per_try)
        return Fail(
            subject,
            f"{fit} of {retried + 1} attempts fit into its deadline of {timeout:g} s",
            f"One attempt and {retried} retries of {per_try:g} s each need {(retried + 1) * per_try:g} s.",
            places(service.place(route.lines["timeout"]), service.place(retries.lines["perTryTimeout"])),
            (Quantity("attempts_within_deadline", fit, "attempts", "timeout ÷ per-try timeout", terms),),
            Severity.LOW,
        )
    return Pass(subject, places(service.place(route.lines["timeout"])))
