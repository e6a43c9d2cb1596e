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
