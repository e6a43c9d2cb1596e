"""5.3: how long a credential that was revoked stays in use, and whether its rotation can deadlock."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from findings.checks.base import Fail, Meta, Pass, Unsure, Verdict
from findings.platform import processes, rotation, secrets, secrets_store
from findings.platform.model import Block, Platform, Resource, Workload, places
from findings.platform.nearness import Nearness
from findings.platform.nodes import mapping
from findings.platform.rotation import Rotation
from findings.platform.secrets import How, SecretUse
from findings.platform.units import stated_number
from findings.vocabulary import Category, Outcome, Severity
from platform_risk.quantities.sourced import Input, Place, Quantity, Source, Sourced, Unknown, input_of

META = Meta(
    id="secret-rotation",
    seed="5.3",
    title="A rotated credential does not reach the pods in time",
    severity=Severity.HIGH,
    category=Category.OPERATIONS,
    outcome=Outcome.OUTAGE,
    means="After a credential was replaced, workloads keep the old one until something restarts them, or for longer "
    "than the old one stays valid.",
    why="A leaked credential can be used until the last pod has the new one. And when the old one ends first, pods "
    "that still hold it fail, and a rollout whose new pods start with it never becomes ready: the running pods cannot "
    "be replaced just when they must be.",
    not_a_problem="The credential is replaced only together with a deployment that restarts everything which uses it.",
    remedy="Let two credentials be valid at a time, for longer than the refresh and a rollout take together. Mount the "
    "Secret as files or restart the workload when it changes, and refresh it often enough.",
    patch="""metadata:
  annotations:
    reloader.stakater.com/auto: "true"   # a new value restarts the pods
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
spec:
  refreshInterval: 5m""",
    remedies=("secret-overlap", "vault-agent-injection"),
    references=(
        "https://kubernetes.io/docs/concepts/configuration/secret/",
        "https://external-secrets.io/latest/api/externalsecret/",
        "https://developer.hashicorp.com/vault/docs/platform/k8s/vso",
        "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets_strategies.html",
    ),
)

_VOLUME_SECONDS = 120
_VOLUME = "kubelet: files follow within its sync period of one minute and the delay of its cache"
_NEVER = "Kubernetes: variables and files mounted with subPath keep their value until the pod is replaced"
_SEED = (
    "No deadlock follows from restarting alone: it needs an old credential that ends before the new one is in place."
)
_ENDING = ("Job", "CronJob")


def exposure_seconds(refresh: float, rollout: float) -> float:
    """Longest time from a new value at its source until no pod holds the old one: refresh + rollout.

    Source: External Secrets, refreshInterval; Kubernetes, rolling update.
    """
    return refresh + rollout


def needed_overlap_seconds(refresh: float, rollout: float) -> float:
    """How long the old credential must stay valid beside the new one: as long as some pod may hold it."""
    return exposure_seconds(refresh, rollout)


def is_deadlock(overlap: float, needed: float) -> bool:
    """Whether the old credential ends while pods still hold it."""
    return overlap < needed


def rollout_seconds(pods: int, surge: int, unavailable: int, ready: float) -> float:
    """Time of a rolling update: as many steps as it takes at `surge + unavailable` pods a step, each until ready.

    Source: Kubernetes, Deployments: maxSurge and maxUnavailable.
    """
    return math.ceil(pods / max(surge + unavailable, 1)) * ready


@dataclass(frozen=True)
class _Delay:
    """How a new value gets from the Secret into the pods of one workload. None: not before they are replaced."""

    use: SecretUse
    seconds: Sourced[float] | Unknown | None
    terms: tuple[Input, ...] = ()


def run(platform: Platform) -> Iterator[Verdict]:
    uses, by_secret = secrets.uses(platform), secrets.by_secret(platform)
    rotated: set[tuple[str, str]] = set()
    found = (*rotation.rotations(platform), *secrets_store.rotations(platform))
    homes: dict[str, list[str]] = {}
    for each in found:
        homes.setdefault(each.subject, []).append(each.place.path)
    for each in found:
        rotated.add((each.namespace, each.secret))
        near = _beside(platform.near, each, by_secret.get((each.namespace, each.secret), []))
        verdict = _judged(platform, each, near)
        others = list(homes[each.subject])
        others.remove(each.place.path)
        yield replace(verdict, homes=(each.place.path, *others)) if isinstance(verdict, Fail) else verdict
    held = [*(use for use in uses if use.how not in (How.VOLUME, How.CSI)), *_logins(platform)]
    for namespace, secret in dict.fromkeys((use.namespace, use.secret) for use in held):
        if (namespace, secret) in rotated:
            continue
        stated = rotation.stated_rotation(platform, namespace, secret)
        used = by_secret.get((namespace, secret)) or _uses_of(held, namespace, secret)
        yield _judged(platform, stated, used) if stated else _unrotated(namespace, secret, used[0])
    for workload in platform.workloads:
        yield from _injected(workload)
    yield from (Pass(each.id, (each.place(),)) for each in platform.of_kind("VaultAuth") if not _login(each))
    for role in platform.terraform("vault_approle_auth_backend_role"):
        yield _secret_ids(role)


def _secret_ids(role: Block) -> Verdict:
    """Whether what signs in to Vault by AppRole ends by itself, or with its use."""
    stated = [role.get(name) for name in ("secret_id_ttl", "secret_id_num_uses")]
    known = [each.value for each in map(stated_number, stated) if each is not None]
    place = role.place()
    if any(value > 0 for value in known):
        return Pass(role.id, (place,))
    unknown = next((each for each in stated if isinstance(each, Unknown)), None)
    if unknown is not None:
        return Unsure(role.id, f"how long its SecretIDs live is not known: {unknown.reason}", unknown.provide, place)
    ttl = stated_number(stated[0])
    term = input_of("secret_id_ttl", ttl or Sourced(0, Source.PROVIDER_DEFAULT, place, _ENDLESS), "s")
    return Fail(
        role.id,
        "Its SecretIDs never end",
        "Whoever once had one signs in to Vault for as long as nobody revokes it, and gets a new token each time.",
        places(ttl, place),
        (Quantity("exposure_seconds", None, "s", "unbounded: until it is revoked", (term,)),),
        Severity.MEDIUM,
        "secret id",
    )


_ENDLESS = "Vault, AppRole: a secret_id_ttl of 0, as where none is stated, never ends"
_LOGINS = {"appRole": "spec.appRole.secretRef", "jwt": "spec.jwt.secretRef", "aws": "spec.aws.secretRef"}


def _login(login: Resource) -> str:
    """The Secret that a VaultAuth signs in with; "" where it does with a token of a service account, or of the cloud,
    that ends by itself. Source: Vault Secrets Operator, VaultAuth: method, appRole, jwt."""
    method = login.at("spec.method")
    dotted = _LOGINS.get(str(method.value)) if method is not None else None
    stated = login.at(dotted) if dotted is not None else None
    return str(stated.value) if stated is not None else ""


def _logins(platform: Platform) -> Iterator[SecretUse]:
    """Secrets that open Vault itself."""
    for login in platform.of_kind("VaultAuth"):
        secret = _login(login)
        if secret:
            yield SecretUse(login.namespace, secret, "", How.VOLUME, "", login.id, login.place())


def _beside(nearness: Nearness, rotated: Rotation, uses: Sequence[SecretUse]) -> Sequence[SecretUse]:
    """Of a workload that several environments have, the one beside it: the others are of other clusters."""
    path = rotated.place.path
    most = {use.subject: 0 for use in uses}
    for use in uses:
        most[use.subject] = max(most[use.subject], nearness.shared_folders(path, use.place.path))
    return [use for use in uses if nearness.shared_folders(path, use.place.path) == most[use.subject]]


def _uses_of(uses: Sequence[SecretUse], namespace: str, secret: str) -> Sequence[SecretUse]:
    return [use for use in uses if (use.namespace, use.secret) == (namespace, secret)]


def _unrotated(namespace: str, secret: str, use: SecretUse) -> Unsure:
    return Unsure(
        "/".join(part for part in ("Secret", namespace, secret) if part),
        "what replaces it, and how often, is not in these files",
        f"an ExternalSecret or a Vault secret that makes it, or facts: secrets.{secret}.refresh_seconds",
        use.place,
    )


def _judged(platform: Platform, rotated: Rotation, uses: Sequence[SecretUse]) -> Verdict:
    subject = rotated.subject
    if rotated.refresh is None:
        return _never(rotated, uses, "It is written once and never refreshed")
    delays = [_delay(platform, rotated, use) for use in uses]
    stuck = [each.use for each in delays if each.seconds is None]
    if stuck:
        return _never(rotated, stuck, "A new value does not reach them before they are restarted")
    if isinstance(rotated.refresh, Unknown):
        return Unsure(subject, rotated.refresh.reason, rotated.refresh.provide, rotated.refresh.place)
    if not uses:
        return Unsure(subject, f"which workloads use Secret {rotated.secret} is not in these files",
                      "the workloads that use it", rotated.place)  # fmt: skip
    for each in delays:
        if isinstance(each.seconds, Unknown):
            return Unsure(subject, each.seconds.reason, each.seconds.provide, each.seconds.place)
    slowest = max(delays, key=lambda each: each.seconds.value if isinstance(each.seconds, Sourced) else 0.0)
    return _bounded(rotated, rotated.refresh, slowest)


def _bounded(rotated: Rotation, refresh: Sourced[float], slowest: _Delay) -> Verdict:
    assert isinstance(slowest.seconds, Sourced)
    needed = needed_overlap_seconds(refresh.value, slowest.seconds.value)
    if isinstance(rotated.overlap, Unknown):
        return Unsure(
            rotated.subject,
            f"a new value takes up to {needed:g} s to reach {slowest.use.subject}, and {rotated.overlap.reason}",
            rotated.overlap.provide,
            rotated.overlap.place,
        )
    if not is_deadlock(rotated.overlap.value, needed):
        return Pass(rotated.subject, places(refresh, rotated.overlap))
    terms = (input_of("refresh", refresh, "s"), *slowest.terms)
    overlap = input_of("overlap", rotated.overlap, "s")
    quantities = (
        Quantity("exposure_seconds", exposure_seconds(refresh.value, slowest.seconds.value), "s",
                 "refresh + rollout", terms),
        Quantity("needed_overlap_seconds", needed, "s", "refresh + rollout", terms, (_SEED,)),
        Quantity("deadlock", 1, "0 or 1", "1 when overlap < refresh + rollout", (overlap, *terms)),
    )  # fmt: skip
    return Fail(
        rotated.subject,
        f"The old credential ends {needed - rotated.overlap.value:g} s before the new one is in every pod",
        f"It stays valid for {rotated.overlap.value:g} s; the new value takes up to {needed:g} s to reach "
        f"{slowest.use.subject}.",
        places(rotated.place, slowest.use.place),
        quantities,
    )


def _never(rotated: Rotation, uses: Sequence[SecretUse], words: str) -> Fail:
    terms: tuple[Input, ...] = ()
    if isinstance(rotated.refresh, Sourced):
        terms = (input_of("refresh", rotated.refresh, "s"),)
    terms += tuple(
        Input(use.subject, use.how.value, "kind of use", Source.FILE, use.place.path, use.place.line, _NEVER)
        for use in uses
    ) or (Input("refresh", "never", "", Source.FILE, rotated.place.path, rotated.place.line),)
    names = list(dict.fromkeys(use.subject for use in uses))
    count = len(names)
    told = f"{count} workload{'' if count == 1 else 's'}" if uses else "whatever uses it"
    return Fail(
        rotated.subject,
        f"{words}: {told}",
        f"{rotated.named} is used by {', '.join(names) or 'nothing here'}. "
        f"{words}: a revoked credential stays in use, and a new one is not, until then.",
        places(*(use.place for use in uses), rotated.place),
        (
            Quantity("exposure_seconds", None, "s", "unbounded: until the next restart", terms),
            Quantity("needed_overlap_seconds", None, "s", "unbounded: until the next restart", terms, (_SEED,)),
        ),
        Severity.MEDIUM,
        "never",
    )


def _delay(platform: Platform, rotated: Rotation, use: SecretUse) -> _Delay:
    workload = use.workload
    if use.how == How.CSI:
        seconds = Sourced(0.0, Source.PROVIDER_DEFAULT, use.place, "the driver writes into the pod itself")
        return _Delay(use, seconds, (input_of("files_follow", seconds, "s"),))
    if use.how == How.VOLUME:
        seconds = Sourced(float(_VOLUME_SECONDS), Source.PROVIDER_DEFAULT, use.place, _VOLUME)
        return _Delay(use, seconds, (input_of("files_follow", seconds, "s"),))
    if workload is None:
        return _Delay(use, Unknown("the workload of this fragment is not in these files", "the workload", use.place))
    if workload.resource.kind in _ENDING:
        seconds = Sourced(0.0, Source.PROVIDER_DEFAULT, use.place, "each run of a job starts with the present value")
        return _Delay(use, seconds, (input_of("rollout", seconds, "s"),))
    notes = rotation.annotations_of(workload.resource.body, workload.template)
    if workload.id not in rotated.restarts and not rotation.restarted_by(notes, use.secret):
        return _Delay(use, None)
    return _restarted(platform, workload, use)


def _restarted(platform: Platform, workload: Workload, use: SecretUse) -> _Delay:
    name = workload.resource.name
    stated = platform.facts.number(f"services.{name}.rollout_seconds")
    if stated is not None:
        return _Delay(use, stated, (input_of("rollout", stated, "s"),))
    ready = platform.facts.number(f"services.{name}.ready_seconds")
    if ready is None:
        reason = f"how long a pod of {workload.id} takes to become ready is not stated"
        return _Delay(use, Unknown(reason, f"facts: services.{name}.ready_seconds", workload.resource.place()))
    pods = processes.max_pods(platform, workload)
    if isinstance(pods, Unknown):
        return _Delay(use, pods)
    surge, unavailable, place = _step(workload, pods.value)
    seconds = rollout_seconds(pods.value, surge, unavailable, ready.value)
    terms = (
        input_of("pods", pods, "pods"),
        Input("pods_per_step", max(surge + unavailable, 1), "pods", Source.FILE, place.path, place.line,
              "Kubernetes: maxSurge and maxUnavailable default to 25 %"),
        input_of("ready", ready, "s"),
    )  # fmt: skip
    return _Delay(use, Sourced(seconds, ready.source, ready.place), terms)


def _step(workload: Workload, pods: int) -> tuple[int, int, Place]:
    """(surge, unavailable, where) of a rolling update. A StatefulSet replaces one pod at a time."""
    spec = mapping(workload.resource.body, "spec")
    strategy = mapping(spec, "strategy") or mapping(spec, "updateStrategy")
    place = workload.resource.place(strategy.line or None)
    if workload.resource.kind != "Deployment":
        return 0, 1, place
    if strategy.get("type") == "Recreate":
        return 0, pods, place
    rolling = mapping(strategy, "rollingUpdate")
    surge = _share(rolling.get("maxSurge", "25%"), pods, up=True)
    return surge, _share(rolling.get("maxUnavailable", "25%"), pods, up=False), place


def _share(value: object, pods: int, *, up: bool) -> int:
    text = str(value)
    if text.endswith("%") and text[:-1].isdigit():
        exact = pods * int(text[:-1]) / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(text) if text.isdigit() else 0


def _injected(workload: Workload) -> Iterator[Verdict]:
    """Vault's agent: with only an init container, what it wrote is never renewed."""
    notes = workload.annotations
    if str(notes.get("vault.hashicorp.com/agent-inject")).lower() != "true":
        return
    name = "vault.hashicorp.com/agent-pre-populate-only"
    if str(notes.get(name)).lower() != "true" or workload.resource.kind in _ENDING:
        yield Pass(workload.id, (workload.resource.place(),))
        return
    place = workload.resource.place(mapping(workload.template, "metadata.annotations").lines.get(name))
    term = Input("agent-pre-populate-only", notes.get(name), "", Source.FILE, place.path, place.line)
    yield Fail(
        workload.id,
        "Vault's agent writes its secrets once, at the start of 1 workload",
        "With agent-pre-populate-only no agent runs beside the pods: what was written is used until they are replaced.",
        places(place),
        (Quantity("exposure_seconds", None, "s", "unbounded: until the next restart", (term,)),),
        Severity.MEDIUM,
        "agent",
    )
