"""Users of Kafka with what their quotas let them fetch, and which consumers sign in as them. PURE."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from findings.platform import brokers, secrets
from findings.platform.kafka import Consumer
from findings.platform.model import Platform, Resource, Workload
from findings.platform.units import stated_count, stated_number
from platform_risk.quantities.sourced import Sourced

_USER = re.compile(r"(?:.*_)?(?:kafka|sasl)_(?:.*_)?user(?:_?name)?")
_JAAS = re.compile(r"username\s*=\s*\\?[\"']?([\w.-]+)")


@dataclass(frozen=True)
class Quota:
    """What all clients of one user together may fetch from each broker, in bytes per second."""

    user: str
    rate: Sourced[float]
    brokers: Sourced[int] | None


def quota_of(platform: Platform, consumer: Consumer) -> Quota | None:
    """The quota of the user that a consumer signs in as: whose Secret it takes, or whose name it states.

    Source: Strimzi, KafkaUserQuotas: consumerByteRate holds for each broker.
    """
    users = platform.of_kind("KafkaUser")
    if not users or consumer.workload is None:
        return None
    namespace = consumer.workload.resource.namespace
    taken = {use.secret for use in secrets.of_workload(consumer.workload)}
    stated = set(_stated(platform, consumer.workload))
    for user in users:
        if not (user.name in stated or (user.name in taken and user.namespace == namespace)):
            continue
        rate = stated_number(user.at("spec.quotas.consumerByteRate"))
        if rate is not None and rate.value > 0:
            return Quota(user.name, rate, _brokers(platform, user))
    return None


def _stated(platform: Platform, workload: Workload) -> Iterator[str]:
    """Names of users in its settings."""
    for setting in platform.settings_of(workload.id):
        text = str(setting.value.value)
        if _USER.fullmatch(setting.name):
            yield text
        elif setting.name.endswith("jaas_config") and (found := _JAAS.search(text)):
            yield found[1]


def _brokers(platform: Platform, user: Resource) -> Sourced[int] | None:
    named = brokers.cluster_named(platform, str(user.labels.get("strimzi.io/cluster") or ""), user.path)
    stated = named.brokers if named is not None else None
    return stated or stated_count(platform.facts.get("kafka.brokers"))
