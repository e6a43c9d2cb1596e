"""The age of cached answers, and limits that each pod keeps for itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import cache_staleness
from tests.examples import examples
from tests.findings.checks import reading

LIFETIMES = st.lists(st.floats(0, 1e6), min_size=1, max_size=6)


@pytest.mark.parametrize(("lifetimes", "worst"), [([300], 300), ([300, 300], 600)])
def test_caches_in_series_add_up(lifetimes: list[float], worst: float) -> None:
    assert cache_staleness.worst_staleness(lifetimes) == worst


def test_an_answer_of_one_cache_is_half_its_lifetime_old_on_average() -> None:
    assert cache_staleness.mean_staleness(300) == 150.0


def test_the_last_of_fifty_pods_is_fresh_shortly_before_the_lifetime_ends() -> None:
    assert cache_staleness.all_fresh_after(300, 50) == pytest.approx(294.1176, abs=5e-5)


def test_a_limit_that_every_pod_keeps_is_the_limit_times_the_pods() -> None:
    assert cache_staleness.fallback_limit(1000, 50) == 50_000


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [
        ("cache_ttl_minutes: 5", 300.0),
        ("cacheTtlMs: 300000", 300.0),
        ("router: {cache: {ttl: 300s}}", 300.0),
        ("flags: {cache_ttl: '5m'}", 300.0),
    ],
)
def test_the_unit_of_a_lifetime_is_read_from_its_value_or_its_name(text: str, lifetime: float) -> None:
    (fail,) = reading.fails("cache-staleness", a_yaml=f"{text}\n")
    assert reading.figures(fail)["worst_staleness_seconds"] == lifetime


@pytest.mark.parametrize("text", ["ttlSecondsAfterFinished: 600", "dns: {ttl: 300}", "cache_size: 300"])
def test_what_is_no_lifetime_of_a_cache_is_left_alone(text: str) -> None:
    outcome = reading.outcome("cache-staleness", a_yaml=f"{text}\n")
    assert (outcome.found, outcome.tallies[0].unsure, outcome.tallies[0].passed) == ((), [], 0)


def test_an_invalidation_that_is_switched_off_does_not_count() -> None:
    assert reading.fails("cache-staleness", a_yaml="cache: {ttl: 300, invalidation: false}\n")


@given(LIFETIMES, st.floats(0, 1e6))
@settings(max_examples=examples(200), deadline=None)
def test_one_more_layer_never_makes_answers_fresher(lifetimes: list[float], more: float) -> None:
    assert cache_staleness.worst_staleness([*lifetimes, more]) >= cache_staleness.worst_staleness(lifetimes)


@given(st.floats(1, 1e6), st.integers(1, 10_000))
@settings(max_examples=examples(200), deadline=None)
def test_all_pods_are_fresh_between_the_mean_and_the_whole_lifetime(lifetime: float, pods: int) -> None:
    after = cache_staleness.all_fresh_after(lifetime, pods)
    assert cache_staleness.mean_staleness(lifetime) <= after < lifetime


def test_an_operators_cache_whose_file_is_elsewhere_is_not_called_unbounded() -> None:
    cache = """
apiVersion: redis.redis.opstreelabs.in/v1beta2
kind: Redis
metadata: {name: page-cache}
spec:
  kubernetesConfig: {resources: {limits: {memory: 256Mi}}}
"""
    (fail,) = reading.fails("cache-staleness", a_yaml=cache)
    assert reading.figures(fail) == {"bytes_until_killed": 256 * 2**20}
    elsewhere = cache + "  redisConfig: {additionalRedisConfig: page-cache-conf}\n"
    assert reading.fails("cache-staleness", a_yaml=elsewhere) == []


@pytest.mark.parametrize(
    ("text", "facts", "severity"),
    [
        ("cache_ttl: 60", "", ""),  # what is younger is told nobody
        ("cache_ttl: 61", "", "low"),
        ("cache_ttl: 30\nflags_cache_ttl: 31", "", "low"),
        ("cache_ttl: 300", "cache: {max_staleness_seconds: 300}", ""),
        ("cache_ttl: 301", "cache: {max_staleness_seconds: 300}", "medium"),
        ("cache_ttl: 300\ncache_invalidation: pubsub", "", ""),
        ("cache_ttl: 300\ncache_invalidation: none", "", "low"),
        ("cache_ttl: 300\ncache_invalidation_cache_ttl: 1", "", "low"),  # a lifetime of its own
        ("cache_ttl: 300\ndns_cache_ttl: 900", "", "low"),
    ],
)
def test_answers_are_too_old_beyond_a_minute_or_what_the_facts_allow(text: str, facts: str, severity: str) -> None:
    outcome = reading.outcome("cache-staleness", a_yaml=f"{text}\n", facts=facts)
    assert [str(each.severity) for each in outcome.found] == ([severity] if severity else [])
    assert outcome.tallies[0].passed == (not severity)


@pytest.mark.parametrize(
    ("text", "asked", "passed"),
    [
        ("cache_ttl: soon", ["cache_ttl is no duration"], 0),
        ("cache_ttl: -1", ["cache_ttl is no duration"], 0),
        ("cache_ttl: 0", [], 0),  # switched off
        ("cache_ttl: soon\nflags_cache_ttl: 30", ["cache_ttl is no duration"], 1),
        ("caffeine_spec: maximumSize=500", [], 0),  # entries leave when there is no room
        ("caffeine_spec: 'expireAfterAccess=10m'", [], 0),
    ],
)
def test_what_is_no_lifetime_is_asked_for_or_none(text: str, asked: list[str], passed: int) -> None:
    outcome = reading.outcome("cache-staleness", a_yaml=f"{text}\n")
    assert outcome.found == ()
    assert [each.reason for each in outcome.tallies[0].unsure] == asked
    assert outcome.tallies[0].passed == passed


def deployed(pods: int, **env: object) -> str:
    listed = ", ".join(f'{{name: {name}, value: "{value}"}}' for name, value in env.items())
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\n"
        f"spec: {{replicas: {pods}, template: {{spec: {{containers: [{{name: api, image: a, env: [{listed}]}}]}}}}}}\n"
    )


def test_the_layer_that_lives_longest_says_when_all_pods_are_fresh() -> None:
    (one,) = reading.fails(
        "cache-staleness", a_yaml=deployed(4, CACHE_TTL=100, FLAGS_CACHE_TTL=300, MENU_CACHE_TTL=200)
    )
    assert reading.figures(one) == {
        "worst_staleness_seconds": 600, "mean_staleness_seconds": 300, "all_pods_fresh_after_seconds": 240,
    }  # fmt: skip
    assert one.why.startswith("cache_ttl is 100 s, flags_cache_ttl is 300 s and 1 more, and nothing drops")
    assert one.quantities[0].assumptions
    (two,) = reading.fails("cache-staleness", a_yaml=deployed(1, CACHE_TTL=100, FLAGS_CACHE_TTL=300))
    assert reading.figures(two).keys() == {"worst_staleness_seconds", "mean_staleness_seconds"}
    assert two.why.startswith("cache_ttl is 100 s and flags_cache_ttl is 300 s, and nothing drops")
    (single,) = reading.fails("cache-staleness", a_yaml=deployed(1, CACHE_TTL=100))
    assert single.quantities[0].assumptions == ()


@pytest.mark.parametrize(
    ("text", "facts", "verdict"),
    [
        (deployed(50, RATE_LIMIT_RPS=10, RATE_LIMIT_FALLBACK="local"), "", 500),
        (deployed(2, RATE_LIMIT_RPS=10, RATE_LIMIT_FALLBACK="local"), "", 20),
        (deployed(1, RATE_LIMIT_RPS=10, RATE_LIMIT_FALLBACK="local"), "", "passes"),
        (deployed(50, RATE_LIMIT_RPS=10, RATE_LIMIT_FALLBACK="deny"), "", "nothing"),
        (deployed(50, RATE_LIMIT_RPS=10, RATE_LIMIT_LOCAL_FALLBACK="true"), "", 500),
        (deployed(50, RATE_LIMIT_RPS=10, RATE_LIMIT_FALLBACK_LOCAL="false"), "", "nothing"),
        (deployed(50, RATE_LIMIT_RPS=10, RATE_LIMIT_FALLBACK_LOCAL="true"), "", 500),
        (deployed(50, RATE_LIMIT_FALLBACK="local"), "", "its limit, beside it"),
        ("rate_limit: {rps: 10, fallback: local}\n", "", "facts: cache.limiter_pods"),
        ("rate_limit: {rps: 10, fallback: local}\n", "cache: {limiter_pods: 3}", 30),
    ],
)
def test_a_limit_that_falls_back_to_each_pod_is_multiplied(text: str, facts: str, verdict: object) -> None:
    outcome = reading.outcome("cache-staleness", a_yaml=text, facts=facts)
    told = [reading.figures(each.fail)["fallback_limit_per_second"] for each in outcome.found]
    assert told == ([verdict] if isinstance(verdict, int) else [])
    assert outcome.tallies[0].passed == (verdict == "passes")
    asked = [verdict] if isinstance(verdict, str) and verdict not in ("passes", "nothing") else []
    assert [each.provide for each in outcome.tallies[0].unsure] == asked
