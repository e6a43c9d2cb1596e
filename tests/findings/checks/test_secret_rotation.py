"""How long a revoked credential stays in use, and when a rotation deadlocks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findings.checks import secret_rotation
from tests.examples import examples
from tests.findings.checks import reading

API = """
apiVersion: apps/v1
kind: {kind}
metadata: {{name: api, namespace: shop, annotations: {{{annotations}}}}}
spec:
  replicas: 4
  template:
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          env: [{{name: PASSWORD, valueFrom: {{secretKeyRef: {{name: db, key: password}}}}}}]
"""
STATIC = """
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultStaticSecret
metadata: {{name: db, namespace: shop}}
spec:
  refreshAfter: 30s
  destination: {{name: db}}
  rolloutRestartTargets: {targets}
"""
DYNAMIC = """
apiVersion: secrets.hashicorp.com/v1beta1
kind: VaultDynamicSecret
metadata: {name: db, namespace: shop}
spec:
  destination: {name: db}
  rolloutRestartTargets: [{kind: Deployment, name: api}]
"""
FACTS = "services: {api: {rollout_seconds: 600}}\nsecrets: {db: {overlap_seconds: 60}}"


def api(kind: str = "Deployment", annotations: str = "") -> str:
    return API.format(kind=kind, annotations=annotations)


def test_an_hour_of_refresh_and_ten_minutes_of_rollout_expose_for_seventy_minutes() -> None:
    assert secret_rotation.exposure_seconds(3600, 600) / 60 == 70
    assert secret_rotation.needed_overlap_seconds(3600, 600) / 60 == 70
    assert secret_rotation.is_deadlock(4199, 4200)
    assert not secret_rotation.is_deadlock(4200, 4200)


@pytest.mark.parametrize(
    ("pods", "surge", "unavailable", "seconds"), [(20, 2, 0, 600), (20, 5, 5, 120), (3, 1, 0, 180), (1, 1, 0, 60)]
)
def test_a_rollout_takes_as_many_steps_as_its_bounds_allow(
    pods: int, surge: int, unavailable: int, seconds: int
) -> None:
    assert secret_rotation.rollout_seconds(pods, surge, unavailable, 60) == seconds


def test_a_variable_never_follows_without_a_restart() -> None:
    (fail,) = reading.fails("secret-rotation", a_yaml=api(), b_yaml=STATIC.format(targets="[]"))
    assert reading.figures(fail)["exposure_seconds"] is None
    assert "1 workload" in fail.title


@pytest.mark.parametrize(
    ("annotations", "targets"),
    [
        ('reloader.stakater.com/auto: "true"', "[]"),
        ("secret.reloader.stakater.com/reload: 'smtp,db'", "[]"),
        ("", "[{kind: Deployment, name: api}]"),
    ],
)
def test_what_restarts_the_workload_bounds_the_exposure(annotations: str, targets: str) -> None:
    (fail,) = reading.fails(
        "secret-rotation", a_yaml=api(annotations=annotations), b_yaml=STATIC.format(targets=targets), facts=FACTS
    )
    assert reading.figures(fail) == {"exposure_seconds": 630, "needed_overlap_seconds": 630, "deadlock": 1}


def test_a_reloader_of_another_secret_does_not_help() -> None:
    (fail,) = reading.fails(
        "secret-rotation",
        a_yaml=api(annotations="secret.reloader.stakater.com/reload: smtp"),
        b_yaml=STATIC.format(targets="[]"),
    )
    assert fail.detail == "never"


def test_each_run_of_a_job_starts_with_the_present_value() -> None:
    outcome = reading.outcome("secret-rotation", a_yaml=api("Job"), b_yaml=STATIC.format(targets="[]"), facts=FACTS)
    assert (outcome.found, outcome.tallies[0].passed) == ((), 1)


def test_a_lease_is_renewed_at_two_thirds_and_the_rest_is_the_overlap() -> None:
    facts = "services: {api: {rollout_seconds: 600}}\nsecrets: {db: {lease_seconds: 1000}}"
    (fail,) = reading.fails("secret-rotation", a_yaml=api(), b_yaml=DYNAMIC, facts=facts)
    deadlock = next(each for each in fail.quantities if each.name == "deadlock")
    assert deadlock.inputs[0].value == pytest.approx(330)
    assert deadlock.value == 1


def test_without_a_lease_it_asks_for_one() -> None:
    (unsure,) = reading.unsure("secret-rotation", a_yaml=api(), b_yaml=DYNAMIC)
    assert unsure.provide == "facts: secrets.db.lease_seconds"


def test_facts_tell_a_rotation_that_no_object_shows() -> None:
    facts = "secrets: {db: {refresh_seconds: 86400}}"
    (fail,) = reading.fails("secret-rotation", a_yaml=api(), facts=facts)
    assert fail.subject == "Secret/shop/db"
    assert fail.detail == "never"


seconds = st.integers(0, 1_000_000)


@given(seconds, seconds, seconds)
@settings(max_examples=examples(100), deadline=None)
def test_a_longer_overlap_never_brings_a_deadlock(refresh: int, rollout: int, overlap: int) -> None:
    needed = secret_rotation.needed_overlap_seconds(refresh, rollout)
    assert not secret_rotation.is_deadlock(overlap + needed, needed)
    if secret_rotation.is_deadlock(overlap + 1, needed):
        assert secret_rotation.is_deadlock(overlap, needed)


@given(st.integers(1, 500), st.integers(0, 50), st.integers(0, 50), st.integers(1, 600))
@settings(max_examples=examples(200), deadline=None)
def test_more_pods_never_roll_out_sooner_and_larger_steps_never_later(
    pods: int, surge: int, unavailable: int, ready: int
) -> None:
    now = secret_rotation.rollout_seconds(pods, surge, unavailable, ready)
    assert secret_rotation.rollout_seconds(pods + 1, surge, unavailable, ready) >= now
    assert secret_rotation.rollout_seconds(pods, surge + 1, unavailable, ready) <= now
