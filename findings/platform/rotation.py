"""What brings a new value of a credential into the cluster, how often, and how long the old one stays valid. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from findings.platform.model import Platform, Resource, all_once, unique
from findings.platform.nodes import items, mapping
from findings.platform.secrets import CLASS, has_certificate, made_by
from findings.platform.units import number, seconds, stated_number
from findings.platform.yaml_reader import Map
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_DAY = 86_400
_ONCE = ("CreatedOnce", "OnChange")


@dataclass(frozen=True)
class Rotation:
    """`refresh`: seconds until a new value is in the Secret; None: it never comes by itself."""

    subject: str
    namespace: str
    secret: str
    refresh: Sourced[float] | Unknown | None
    overlap: Sourced[float] | Unknown  # seconds in which old and new are both valid
    place: Place
    restarts: tuple[str, ...] = ()  # ids of workloads that it restarts itself

    @property
    def named(self) -> str:
        return self.secret if self.secret.startswith(CLASS) else f"Secret {self.secret}"


@all_once
def rotations(platform: Platform) -> Iterator[Rotation]:
    for resource in platform.of_kind(
        "ExternalSecret", "VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret", "Certificate", "KafkaUser"
    ):
        secret = made_by(resource)
        if secret and (resource.kind != "KafkaUser" or has_certificate(resource)):
            stated = fact(platform, secret, "overlap_seconds")
            refresh, overlap = _READERS[resource.kind](platform, resource)
            yield Rotation(
                resource.id, resource.namespace, secret, refresh, stated or overlap, resource.place(),
                tuple(_restarts(resource)),
            )  # fmt: skip


def stated_rotation(platform: Platform, namespace: str, secret: str) -> Rotation | None:
    """A rotation that no object shows and the facts tell."""
    refresh = fact(platform, secret, "refresh_seconds")
    if refresh is None:
        return None
    subject = "/".join(part for part in ("Secret", namespace, secret) if part)
    overlap = fact(platform, secret, "overlap_seconds") or overlap_unknown(secret, refresh.place)
    return Rotation(subject, namespace, secret, refresh, overlap, refresh.place)


def fact(platform: Platform, secret: str, name: str) -> Sourced[float] | None:
    return platform.facts.number(f"secrets.{secret}.{name}")


def overlap_unknown(secret: str, place: Place) -> Unknown:
    return Unknown(
        "how long the old credential stays valid is not stated", f"facts: secrets.{secret}.overlap_seconds", place
    )


def _seconds(resource: Resource, dotted: str, otherwise: Any, note: str) -> Sourced[float] | Unknown:
    stated = resource.at(dotted)
    if stated is None:
        return Sourced(otherwise, Source.PROVIDER_DEFAULT, resource.place(), note)
    found = seconds(stated.value)
    if found is None:
        return Unknown(f"{dotted} is {stated.value!r}", f"a duration under {dotted}", stated.place)
    return stated.map(lambda _: found)


def _external(platform: Platform, resource: Resource) -> tuple[Sourced[float] | Unknown | None, Unknown]:
    overlap = overlap_unknown(made_by(resource), resource.place())
    policy = resource.at("spec.refreshPolicy")
    if policy is not None and policy.value in _ONCE:
        return None, overlap
    refresh = _seconds(resource, "spec.refreshInterval", 3600, "External Secrets: refreshInterval defaults to 1h")
    if isinstance(refresh, Sourced) and refresh.value == 0:
        return None, overlap
    return refresh, overlap


def _vault_static(platform: Platform, resource: Resource) -> tuple[Sourced[float] | Unknown | None, Unknown]:
    overlap = overlap_unknown(made_by(resource), resource.place())
    instant = resource.at("spec.syncConfig.instantUpdates")
    if instant is not None and instant.value is True:
        return instant.map(lambda _: 0.0), overlap
    if resource.at("spec.refreshAfter") is None:
        return Unknown("refreshAfter is not stated", "spec.refreshAfter", resource.place()), overlap
    return _seconds(resource, "spec.refreshAfter", 0, ""), overlap


def _vault_dynamic(
    platform: Platform, resource: Resource
) -> tuple[Sourced[float] | Unknown | None, Sourced[float] | Unknown]:
    """Renewed at a share of its lease; the rest of the lease is the overlap. Source: Vault Secrets Operator."""
    secret = made_by(resource)
    lease = fact(platform, secret, "lease_seconds")
    if lease is None:
        unknown = Unknown("how long its lease is, Vault decides", f"facts: secrets.{secret}.lease_seconds",
                          resource.place())  # fmt: skip
        return unknown, unknown
    stated = resource.at("spec.renewalPercent")
    percent = number(stated.value) if stated else 67
    if percent is None:
        wrong = Unknown("renewalPercent is no number", "spec.renewalPercent", resource.place())
        return wrong, wrong
    note = "" if stated else "Vault Secrets Operator: renewalPercent defaults to 67"
    overlap = Sourced(lease.value * (100 - percent) / 100, lease.source, lease.place, note)
    # The operator asks for a new one itself: nothing waits for an interval.
    return Sourced(0.0, Source.PROVIDER_DEFAULT, resource.place(), "the operator renews by itself"), overlap


def _certificate(platform: Platform, resource: Resource) -> tuple[Sourced[float] | Unknown | None, Any]:
    """The new certificate is in the Secret at once; the old one is valid for what renewBefore says."""
    duration = _seconds(resource, "spec.duration", 90 * _DAY, "cert-manager: duration defaults to 90 days")
    before = resource.at("spec.renewBefore")
    if before is not None:
        overlap = _seconds(resource, "spec.renewBefore", 0, "")
    elif isinstance(duration, Sourced):
        overlap = Sourced(duration.value / 3, Source.PROVIDER_DEFAULT, duration.place,
                          "cert-manager: renewBefore defaults to a third of the duration")  # fmt: skip
    else:
        overlap = duration
    return Sourced(0.0, Source.PROVIDER_DEFAULT, resource.place(), "cert-manager writes the Secret itself"), overlap


def _vault_certificate(platform: Platform, resource: Resource) -> tuple[Sourced[float], Sourced[float] | Unknown]:
    """Issued anew before it ends, by what expiryOffset says. Source: Vault Secrets Operator, VaultPKISecret."""
    here = resource.place()
    if resource.at("spec.expiryOffset") is None:
        overlap: Sourced[float] | Unknown = Unknown("expiryOffset is not stated", "spec.expiryOffset", here)
    else:
        overlap = _seconds(resource, "spec.expiryOffset", 0, "")
    return Sourced(0.0, Source.PROVIDER_DEFAULT, here, "the operator writes the Secret itself"), overlap


def _kafka_user(platform: Platform, resource: Resource) -> tuple[Sourced[float], Sourced[float]]:
    """A certificate of the cluster's clients CA, issued anew so many days before it ends.

    Source: Strimzi, clientsCa: renewalDays defaults to 30, and the user's certificate follows it.
    """
    name = str(resource.labels.get("strimzi.io/cluster") or "")
    cluster = platform.named("Kafka", resource.namespace, name)
    stated = stated_number(cluster.at("spec.clientsCa.renewalDays")) if cluster is not None else None
    days = stated or Sourced(30, Source.PROVIDER_DEFAULT, resource.place(), "Strimzi: renewalDays defaults to 30")
    written = Sourced(0.0, Source.PROVIDER_DEFAULT, resource.place(), "the User Operator writes the Secret itself")
    return written, days.map(lambda value: float(value * _DAY))


_READERS = {
    "ExternalSecret": _external,
    "VaultStaticSecret": _vault_static,
    "VaultDynamicSecret": _vault_dynamic,
    "VaultPKISecret": _vault_certificate,
    "Certificate": _certificate,
    "KafkaUser": _kafka_user,
}


def _restarts(resource: Resource) -> Iterator[str]:
    for target in items(resource.body, "spec.rolloutRestartTargets"):
        if isinstance(target, Map) and target.get("name"):
            yield "/".join(part for part in (str(target.get("kind")), resource.namespace, str(target["name"])) if part)


def restarted_by(annotations: list[Map], secret: str) -> bool:
    """Whether Reloader restarts a workload when this Secret changes. Source: Stakater Reloader, annotations."""
    for each in annotations:
        if str(each.get("reloader.stakater.com/auto")).lower() == "true":
            return True
        if str(each.get("secret.reloader.stakater.com/auto")).lower() == "true":
            return True
        named = str(each.get("secret.reloader.stakater.com/reload") or "")
        if secret in unique(part.strip() for part in named.split(",")):
            return True
    return False


def annotations_of(*bodies: Map) -> list[Map]:
    return [mapping(body, "metadata.annotations") for body in bodies]
