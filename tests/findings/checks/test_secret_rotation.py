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


@pytest.mark.parametrize(
    ("pods", "surge", "unavailable", "seconds"), [(5, 2, 0, 180), (7, 1, 1, 240), (1, 25, 0, 60), (3, 0, 0, 180)]
)
def test_the_last_step_of_a_rollout_takes_as_long_as_a_full_one(
    pods: int, surge: int, unavailable: int, seconds: int
) -> None:
    assert secret_rotation.rollout_seconds(pods, surge, unavailable, 60) == seconds


RESTARTED = "[{kind: Deployment, name: api}]"


@pytest.mark.parametrize(
    ("kind", "strategy", "seconds"),
    [
        ("Deployment", "", 120),  # of four pods a quarter more and a quarter fewer: two a step
        ("Deployment", "strategy: {type: Recreate}", 60),
        ("Deployment", "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}", 240),
        ("Deployment", "strategy: {rollingUpdate: {maxSurge: 30%, maxUnavailable: 0}}", 120),  # rounded up
        ("Deployment", "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 30%}}", 240),  # rounded down
        ("Deployment", "strategy: {rollingUpdate: {maxSurge: 3, maxUnavailable: 1}}", 60),
        ("StatefulSet", "", 240),
    ],
)
def test_a_restart_takes_as_many_steps_as_its_strategy_allows(kind: str, strategy: str, seconds: int) -> None:
    text = api(kind).replace("  replicas: 4\n", f"  replicas: 4\n  {strategy}\n")
    secret = STATIC.format(targets=RESTARTED.replace("Deployment", kind))
    facts = "services: {api: {ready_seconds: 60}}\nsecrets: {db: {overlap_seconds: 0}}"
    (fail,) = reading.fails("secret-rotation", a_yaml=text, b_yaml=secret, facts=facts)
    assert reading.figures(fail)["needed_overlap_seconds"] == 30 + seconds


@pytest.mark.parametrize(("overlap", "is_short"), [(629, True), (630, False)])
def test_an_old_credential_has_to_last_until_the_new_one_is_everywhere(overlap: int, is_short: bool) -> None:
    facts = FACTS.replace("overlap_seconds: 60", f"overlap_seconds: {overlap}")
    outcome = reading.outcome("secret-rotation", a_yaml=api(), b_yaml=STATIC.format(targets=RESTARTED), facts=facts)
    assert [each.fail.title for each in outcome.found] == (
        ["The old credential ends 1 s before the new one is in every pod"] if is_short else []
    )
    assert outcome.tallies[0].passed == (not is_short)


def test_the_slowest_of_all_that_use_it_counts() -> None:
    fast = api().replace("name: api", "name: fast")
    facts = "services: {api: {rollout_seconds: 600}, fast: {rollout_seconds: 60}}\nsecrets: {db: {overlap_seconds: 0}}"
    both = STATIC.format(targets="[{kind: Deployment, name: fast}, {kind: Deployment, name: api}]")
    for first, second in ((fast, api()), (api(), fast)):
        (fail,) = reading.fails("secret-rotation", a_yaml=first, b_yaml=both, c_yaml=second, facts=facts)
        assert reading.figures(fail)["exposure_seconds"] == 630
        assert "to reach Deployment/shop/api" in fail.why


def volume(name: str = "files") -> str:
    return api().replace("name: api", f"name: {name}").replace(
        "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]",
        "volumeMounts: [{name: s, mountPath: /s}]\n      volumes: [{name: s, secret: {secretName: db}}]",
    )  # fmt: skip


def test_files_follow_within_two_minutes() -> None:
    facts = "secrets: {db: {overlap_seconds: 149}}"
    (fail,) = reading.fails("secret-rotation", a_yaml=volume(), b_yaml=STATIC.format(targets="[]"), facts=facts)
    assert reading.figures(fail)["exposure_seconds"] == 30 + 120
    assert [each.source for each in fail.quantities[0].inputs] == ["file", "provider_default"]


def test_what_replaces_a_secret_is_asked_for_where_a_variable_holds_it_and_not_where_files_follow() -> None:
    (asked,) = reading.unsure("secret-rotation", a_yaml=api())
    assert (asked.subject, asked.provide.rpartition(" ")[2]) == ("Secret/shop/db", "secrets.db.refresh_seconds")
    assert reading.unsure("secret-rotation", a_yaml=volume()) == []
    both = {"a_yaml": api(), "c_yaml": api().replace("name: db", "name: mail").replace("name: api", "name: web")}
    told = [each.subject for each in reading.unsure("secret-rotation", **both)]
    assert told == ["Secret/shop/db", "Secret/shop/mail"]


def test_who_is_not_restarted_keeps_the_old_value_and_is_counted() -> None:
    two = {"a_yaml": api(), "c_yaml": api().replace("name: api", "name: web")}
    (fail,) = reading.fails("secret-rotation", **two, b_yaml=STATIC.format(targets="[]"), facts=FACTS)
    assert fail.title == "A new value does not reach them before they are restarted: 2 workloads"
    assert [(each.name, each.value) for each in fail.quantities[0].inputs[1:]] == [
        ("Deployment/shop/api", "env"), ("Deployment/shop/web", "env"),
    ]  # fmt: skip
    assert fail.quantities[0].inputs[0].value == 30
    (one,) = reading.fails("secret-rotation", **two, b_yaml=STATIC.format(targets=RESTARTED), facts=FACTS)
    assert one.title.endswith(": 1 workload")
    assert "is used by Deployment/shop/web." in one.why


def test_a_secret_that_nothing_here_uses_is_asked_for() -> None:
    (asked,) = reading.unsure("secret-rotation", b_yaml=STATIC.format(targets="[]"))
    assert asked.provide == "the workloads that use it"
    external = (
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: db, namespace: shop}\n"
        "spec: {refreshInterval: '0', data: []}\n"
    )
    (fail,) = reading.fails("secret-rotation", b_yaml=external)
    assert fail.title == "It is written once and never refreshed: whatever uses it"
    assert "is used by nothing here." in fail.why


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ("secret_id_ttl = 600", "passes"), ("secret_id_num_uses = 1", "passes"), ("", "fails"),
        ("secret_id_ttl = 0", "fails"), ("secret_id_ttl = 0\n  secret_id_num_uses = 0", "fails"),
        ("secret_id_ttl = var.t", "unknown"), ("secret_id_ttl = var.t\n  secret_id_num_uses = 5", "passes"),
    ],
)  # fmt: skip
def test_what_opens_vault_ends_by_time_or_by_use(settings: str, verdict: str) -> None:
    role = f'resource "vault_approle_auth_backend_role" "a" {{\n  role_name = "a"\n  {settings}\n}}\n'
    outcome = reading.outcome("secret-rotation", main_tf=role)
    tally = outcome.tallies[0]
    assert (tally.failed, tally.passed, len(tally.unsure)) == tuple(
        int(verdict == each) for each in ("fails", "passes", "unknown")
    )
    for found in outcome.found:
        (term,) = found.fail.quantities[0].inputs
        assert (term.value, term.source) == (0, "file" if settings else "provider_default")
