"""What the Secrets Store CSI driver mounts and synchronises, and whether it fetches new values. PURE.

Source: Secrets Store CSI driver, auto rotation of mounted contents and synced Kubernetes Secrets: off unless
--enable-secret-rotation is given, then every two minutes unless --rotation-poll-interval says otherwise.
"""

import re
from collections.abc import Iterator
from typing import Any

from findings.platform.model import Platform, Resource, Workload
from findings.platform.rotation import Rotation, fact, overlap_unknown
from findings.platform.secrets import class_key, classes_of, synced
from findings.platform.units import seconds
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

_ON = "enable_secret_rotation"
_INTERVAL = "rotation_poll_interval"
_DRIVER = re.compile(r"secrets-store(?:-csi)?/driver(?:[:@]|\Z)|secrets-store-csi-driver(?:[:@]|\Z)")
_EVERY = 120.0
_EVERY_NOTE = "Secrets Store CSI driver: --rotation-poll-interval defaults to 2m"


def rotations(platform: Platform) -> Iterator[Rotation]:
    """One for each class that pods mount, and one for each Secret that the driver makes of it."""
    mounted: dict[tuple[str, str], Place] = {}
    for workload in platform.workloads:
        for _, name, line in classes_of(workload.pod):
            mounted.setdefault((workload.resource.namespace, name), workload.resource.place(line))
    classes = platform.of_kind("SecretProviderClass")
    if not mounted and not classes:
        return
    refresh = _refresh(platform)
    for (namespace, name), place in mounted.items():
        subject = "/".join(part for part in ("SecretProviderClass", namespace, name) if part)
        yield _rotation(platform, subject, namespace, class_key(name), name, refresh, place)
    for resource in classes:
        for secret, at in _synced(resource):
            subject = "/".join(part for part in ("Secret", resource.namespace, secret) if part)
            place = resource.place(at)
            yield _rotation(platform, subject, resource.namespace, secret, secret, refresh, place)


def _synced(resource: Resource) -> Iterator[tuple[str, int | None]]:
    for each in synced(resource):
        yield str(each["secretName"]), each.lines.get("secretName")


def _rotation(
    platform: Platform,
    subject: str,
    namespace: str,
    secret: str,
    name: str,
    refresh: Sourced[float] | Unknown | None,
    place: Place,
) -> Rotation:
    stated: Sourced[float] | Unknown | None = fact(platform, name, "refresh_seconds") or refresh
    if isinstance(stated, Unknown):
        stated = Unknown(stated.reason, f"facts: secrets.{name}.refresh_seconds, or {stated.provide}", place)
    overlap = fact(platform, name, "overlap_seconds") or overlap_unknown(name, place)
    return Rotation(subject, namespace, secret, stated, overlap, place)


def _refresh(platform: Platform) -> Sourced[float] | Unknown | None:
    """Seconds between two looks of the driver; None where it looks only when a pod starts."""
    is_on, every = _stated(platform)
    if is_on is None:
        driver = next((each for each in platform.workloads if _is_driver(each)), None)
        if driver is not None:
            return None
        return Unknown("whether the Secrets Store driver rotates is not in these files",
                       "enableSecretRotation of the driver")  # fmt: skip
    if str(is_on.value).lower() != "true":
        return None
    found = seconds(every.value) if every is not None else None
    if every is None or found is None:
        return Sourced(_EVERY, Source.PROVIDER_DEFAULT, is_on.place, _EVERY_NOTE)
    return every.map(lambda _: float(found))


def _stated(platform: Platform) -> tuple[Sourced[Any] | None, Sourced[Any] | None]:
    """(whether it rotates, how often) by flags, Helm values, or the add-on of AKS."""
    for block in platform.terraform("azurerm_kubernetes_cluster"):
        for provider in block.inner("key_vault_secrets_provider"):
            is_on, every = provider.get("secret_rotation_enabled"), provider.get("secret_rotation_interval")
            if isinstance(is_on, Sourced):
                return is_on, every if isinstance(every, Sourced) else None
    told = [each.value for each in platform.settings_ending(_ON)]
    told.sort(key=lambda each: str(each.value).lower() != "true")
    return next(iter(told), None), next((each.value for each in platform.settings_ending(_INTERVAL)), None)


def _is_driver(workload: Workload) -> bool:
    return any(each.image is not None and _DRIVER.search(each.image.value) for each in workload.containers)
