"""4.2: how old an answer may be that went through caches, and what a limit is worth that every pod keeps for itself."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from findings.checks import eviction
from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform.model import Platform, Setting, Workload, all_once, places
from findings.platform.patterns import of_names
from findings.platform.processes import max_pods
from findings.platform.units import number, seconds, stated_number
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Quantity, Source, Sourced, input_of

META = Meta(
    id="cache-staleness",
    seed="4.2",
    title="Caches answer with what is long changed",
    severity=Severity.LOW,
    category=Category.DATA_CONSISTENCY,
    outcome=Outcome.CASCADE,
    means="Entries live in a cache for minutes and nothing removes them when the truth changes; or a limit falls back "
    "to a count that each pod keeps for itself; or a shared cache refuses, or ends, when it is full.",
    why="Until the time to live is over, pods answer differently from each other: one routes to a service that has "
    "moved, another does not yet know that a flag is off. Caches in series add up. A limit per pod is the limit times "
    "the pods.",
    not_a_problem="What is cached never changes, or an answer of that age does no harm: then declare its bound.",
    remedy="Publish changes and drop the entry on them, put a version into the key, and shorten the time to live until "
    "that is there. Keep limits in a store that all pods share.",
    patch="""cache:
  ttl_seconds: 30
  invalidation: {channel: cell-routes-changed}   # Redis publish and subscribe""",
    remedies=("cache-invalidation",),
    references=(
        "https://redis.io/docs/latest/develop/pubsub/",
        "https://redis.io/docs/latest/develop/reference/eviction/",
        "https://www.rfc-editor.org/rfc/rfc9111",
    ),
)

_TOLERATED = 60.0  # s: what is younger is told nobody; facts: cache.max_staleness_seconds says otherwise
_CACHE_TTL = of_names(
    r"(?:.*_)?caches?_(?:.*_)?(?:ttl|time_to_live|expiry|expiration|max_age)(?:_(?:s|sec|secs|seconds|ms|millis|minutes))?"
    r"|(?:.*_)?ttl_cache(?:_seconds)?"
    r"|caches_[a-z0-9]+_timeout"  # Django's CACHES
    r"|(?:.*_)?caffeine_spec"
)
# Caffeine's specification: expireAfterWrite=10m. What expires after the last access may be asked for for ever.
_CAFFEINE = re.compile(r"(?:^|,)\s*expireAfterWrite\s*=\s*(\d{1,9}[smhd])\s*(?:,|\Z)", re.IGNORECASE)
_SPRING = ("spring_cache_redis_time_to_live",)  # a bare number is of milliseconds, as every duration of Spring's
_INVALIDATION = of_names(r"(?:.*_)?(?:invalidat\w*|evict_on\w*|cache_(?:events?|channel|pubsub|stream)(?:_.*)?)")
_FALLBACK = of_names(r"(?:.*_)?rate_?limit(?:er|ing|s)?_(?:.*_)?fallback(?:_.*)?")
_LIMIT = re.compile(
    r"(?:.*_)?rate_?limit(?:er|ing|s)?_(?:.*_)?(?:limit|rps|per_second|requests_per_second|rate)|(?:.*_)?rate_limit"
)
_OFF = ("false", "none", "no", "off", "disabled", "", "0")
_SERIES = "Caches stated side by side are taken as passed one after the other, which is the worst case."


def worst_staleness(lifetimes: Iterable[float]) -> float:
    """Age of the oldest answer when caches ask each other in turn: the sum of their times to live.

    Source: an entry may be taken from the cache behind at the last moment of its life there, and so on.
    """
    return sum(lifetimes)


def mean_staleness(lifetime: float) -> float:
    """Mean age of an answer of one cache that is asked at any time: half its time to live."""
    return lifetime / 2


def all_fresh_after(lifetime: float, pods: int) -> float:
    """Expected time until the last of n pods has dropped what changed: ttl × n ÷ (n + 1).

    Source: the expected maximum of n times that are uniform between 0 and the time to live.
    """
    return lifetime * pods / (pods + 1)


def fallback_limit(limit: float, pods: int) -> float:
    """What a limit lets through when every pod counts for itself: limit × pods."""
    return limit * pods


@dataclass(frozen=True)
class Layer:
    name: str
    lifetime: Sourced[float]  # seconds


def run(platform: Platform) -> Iterator[Verdict]:
    scopes = {setting.scope for setting in platform.settings if _is_ttl(setting)}
    by_id = {workload.id: workload for workload in platform.running}
    for scope in sorted(scopes):
        settings = platform.settings_of(scope)
        yield from _judged(platform, scope, settings, by_id.get(scope))
    yield from _limits(platform, by_id)
    yield from eviction.verdicts(platform)


# Caches of what carries its own lifetime, or that a wrong answer from is no answer of the application.
# Or that is named by its content, or that only remembers that there was no answer.
_OTHERS = of_names(
    r"(?:.*_)?(?:dns|jwks|oidc|repo|image|layer|docker|build|package|session|static|assets?|hash|prompt"
    r"|negative|miss|unavailable|error|failure)_caches?_.*"
    r"|(?:.*_)?cache_control_ttl"  # of HTTP it would be max-age: what is asked of somebody else's cache
)
# Calls by which code drops entries itself.
_DROPS = re.compile(
    r"(?:.*[._])?(?:invalidate\w*|evict\w*|cache_clear|(?:clear|flush|purge|delete|reset)_(?:\w+_)?caches?)"
    r"|(?:.*[._])?\w*cache\.(?:a?delete|pop|clear|remove|flush)\w*",
    re.IGNORECASE,
)


def _is_ttl(setting: Setting) -> bool:
    return _CACHE_TTL(setting.name) and not _OTHERS(setting.name) and setting.value.value is not None


_SWITCH = of_names(
    r"(?:.*_)?caches?_(?:is_)?(?:enabled?|(?:should_)?expires?|expiry_enabled)|(?:.*_)?(?:enable|use)_(?:\w+_)?cach(?:e|ing)"
)


_TURNS = re.compile(r"(?:(?<=_)|^)(?:enable|use)_")


def _in_use(settings: list[Setting]) -> list[Setting]:
    """Without the times to live of a cache that is off, or whose entries are said not to end."""
    off = {_cache(each) for each in settings if _SWITCH(each.name) and str(each.value.value).lower() in _OFF}
    return [each for each in settings if _cache(each) not in off] if off else settings


def _cache(setting: Setting) -> str:
    """redis_cache_expiry_seconds, enable_redis_caching → redis_cach: of settings whose names tell one."""
    before, cach, _ = setting.name.rpartition("cach")
    return _TURNS.sub("", before) + cach


def _layers(settings: list[Setting]) -> tuple[dict[str, Layer], list[Setting]]:
    """(layers by name, settings that are no duration)."""
    found: dict[str, Layer] = {}
    unread = []
    for setting in settings:
        if not _is_ttl(setting):
            continue
        lifetime = _lifetime(setting)
        if lifetime is None:
            unread.append(setting)
        elif lifetime.value > 0:
            found.setdefault(setting.name, Layer(setting.name, lifetime))
    return found, unread


def _lifetime(setting: Setting) -> Sourced[float] | None:
    value = setting.value.value
    if setting.name.endswith("caffeine_spec"):
        written = _CAFFEINE.search(str(value)[:500])
        bound = (seconds(written[1].lower()) if written else None) or 0.0
        return setting.value.map(lambda _: bound)
    found = seconds(value)
    if found is None or found < 0:
        return None
    if number(value) is not None:  # a bare number: its unit stands in the name
        found *= (
            0.001
            if setting.name.endswith(("_ms", "_millis")) or setting.name in _SPRING
            else 60
            if setting.name.endswith("_minutes")
            else 1
        )
    return setting.value.map(lambda _: float(found))


def _judged(platform: Platform, scope: str, settings: list[Setting], workload: Workload | None) -> Iterator[Verdict]:
    layers, unread = _layers(_in_use(settings))
    for setting in unread:
        place = setting.value.place
        yield Unsure(scope, f"{setting.key} is no duration", f"{setting.key} in seconds, or as 5m", place)
    if not layers:
        return
    if scope.endswith(".py"):
        layers = _of_code(layers, settings)
    layers = _of_several(layers, settings)
    lifetimes = [layer.lifetime for layer in layers.values()]
    found = places(*lifetimes)
    told = [each for each in settings if _INVALIDATION(each.name) and not _is_ttl(each)]
    worst = worst_staleness(each.value for each in lifetimes)
    tolerated = stated_number(platform.facts.get("cache.max_staleness_seconds"))
    bound = tolerated.value if tolerated is not None else _TOLERATED
    if worst <= bound or any(str(each.value.value).lower() not in _OFF for each in told):
        yield Pass(scope, found)
        return
    if scope in _dropping(platform):
        reason = f"an entry lives for {worst:g} s unless the code drops it, which it does somewhere"
        yield Unsure(
            scope, reason, "facts: cache.max_staleness_seconds, where an answer of that age does no harm", found[0]
        )
        return
    yield Fail(
        scope,
        f"An answer may be {worst:g} s old",
        f"{_listed(layers)}, and nothing drops an entry when the truth changes.",
        found,
        tuple(_quantities(platform, layers, worst, workload)),
        Severity.MEDIUM if tolerated is not None else None,
        "staleness",
    )


def _of_code(layers: dict[str, Layer], settings: list[Setting]) -> dict[str, Layer]:
    """Constants of a module are of caches of different things, so the oldest counts; those of a class may be in series,
    and of several classes those that make the oldest answers."""
    groups: dict[str, dict[str, Layer]] = {}
    owners = {each.name: each.key.rpartition(".")[0] or each.name for each in reversed(settings)}
    for name, layer in layers.items():
        groups.setdefault(owners[name], {})[name] = layer
    return max(groups.values(), key=lambda group: worst_staleness(each.lifetime.value for each in group.values()))


def _of_several(layers: dict[str, Layer], settings: list[Setting]) -> dict[str, Layer]:
    """What several sections of a file call by one name is the same cache of different components: none asks the other,
    so the oldest counts. Where the sections are named by their caches, those may be in series."""
    own = {each.name: each.key.rpartition(".")[2] for each in settings if each.name in layers}
    found: dict[str, Layer] = {}
    for name, layer in layers.items():
        key = own[name] if "cache" in own[name].lower() else name
        held = found.get(key)
        if held is None or held.lifetime.value < layer.lifetime.value:
            found[key] = layer
    return {layer.name: layer for layer in found.values()}


@all_once
def _dropping(platform: Platform) -> Iterator[str]:
    """Files of code that drop entries of caches."""
    names = {call.name for call in platform.calls}
    drops = {name for name in names if _DROPS.fullmatch(name)}
    return (call.place.path for call in platform.calls if call.name in drops)


def _listed(layers: dict[str, Layer]) -> str:
    shown = [f"{layer.name} is {layer.lifetime.value:g} s" for layer in layers.values()]
    return " and ".join(shown) if len(shown) < 3 else f"{', '.join(shown[:2])} and {len(shown) - 2} more"


def _quantities(
    platform: Platform, layers: dict[str, Layer], worst: float, workload: Workload | None
) -> Iterator[Quantity]:
    terms = tuple(input_of(layer.name, layer.lifetime, "s") for layer in layers.values())
    notes = (_SERIES,) if len(layers) > 1 else ()
    longest = max(layers.values(), key=lambda layer: layer.lifetime.value)
    longest_term = input_of(longest.name, longest.lifetime, "s")
    yield Quantity("worst_staleness_seconds", worst, "s", "sum(ttl)", terms, notes)
    mean = sum(mean_staleness(layer.lifetime.value) for layer in layers.values())
    yield Quantity("mean_staleness_seconds", mean, "s", "sum(ttl ÷ 2)", terms, notes)
    pods = max_pods(platform, workload) if workload is not None else None
    if isinstance(pods, Sourced) and pods.value > 1:
        after = all_fresh_after(longest.lifetime.value, pods.value)
        inputs = (longest_term, input_of("pods", pods, "pods"))
        yield Quantity("all_pods_fresh_after_seconds", after, "s", "ttl × n ÷ (n + 1)", inputs)


def _limits(platform: Platform, by_id: dict[str, Workload]) -> Iterator[Verdict]:
    """A rate limit that falls back to a count of each pod."""
    for setting in platform.settings:
        if not _FALLBACK(setting.name):
            continue
        text = str(setting.value.value).lower()
        if "local" not in f"{setting.name} {text}" or text in _OFF:
            continue
        beside = platform.settings_of(setting.scope)
        limit = next(
            (found for each in beside if _LIMIT.fullmatch(each.name) and (found := stated_number(each.value))), None
        )
        workload = by_id.get(setting.scope)
        pods = max_pods(platform, workload) if workload is not None else stated_number(
            platform.facts.get("cache.limiter_pods")
        )  # fmt: skip
        place = setting.value.place
        if limit is None:
            yield Unsure(setting.scope, "the limit that falls back is not stated", "its limit, beside it", place)
        elif not isinstance(pods, Sourced):
            yield Unsure(setting.scope, "the pods that each keep the limit are not stated", "facts: cache.limiter_pods",
                         place)  # fmt: skip
        else:
            yield _fallen_back(setting, limit, pods.map(int))


def _fallen_back(setting: Setting, limit: Sourced[float], pods: Sourced[int]) -> Verdict:
    found = places(setting.value, limit)
    if pods.value <= 1:
        return Pass(setting.scope, found)
    value = fallback_limit(limit.value, pods.value)
    terms: tuple[Input, ...] = (
        input_of("limit", limit, "1/s"),
        input_of("pods", pods, "pods"),
        Input(
            "fallback", str(setting.value.value), "", Source.FILE, setting.value.place.path, setting.value.place.line
        ),
    )
    return Fail(
        setting.scope,
        f"The limit of {limit.value:g} per second lets {value:g} through when each pod counts for itself",
        "Without the shared store every pod applies the whole limit to what reaches it.",
        found,
        (Quantity("fallback_limit_per_second", value, "1/s", "limit × pods", terms),),
        None,
        "limit",
    )
