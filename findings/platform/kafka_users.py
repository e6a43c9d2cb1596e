"""Users of Kafka with what their quotas let them fetch, and which consumers sign in as them. PURE."""

import re
from dataclasses import dataclass

from findings.platform import brokers, secrets
from findings.platform.kafka import Consumer
from findings.platform.model import Platform, Resource
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
    for user in platform.of_kind("KafkaUser"):
        rate = stated_number(user.at("spec.quotas.consumerByteRate"))
        if rate is not None and rate.value > 0 and _signs_in_as(platform, consumer, user):
            return Quota(user.name, rate, _brokers(platform, user))
    return None


def _signs_in_as(platform: Platform, consumer: Consumer, user: Resource) -> bool:
    workload = consumer.workload
    if workload is None:
        return False
    if workload.resource.namespace == user.namespace and any(
        use.secret == user.name for use in secrets.of_workload(workload)
    ):
        return True
    for setting in platform.settings_of(workload.id):
        text = str(setting.value.value)
        jaas = _JAAS.search(text) if setting.name.endswith("jaas_config") else None
        if (_USER.fullmatch(setting.name) and text == user.name) or (jaas and jaas[1] == user.name):
            return True
    return False


def _brokers(platform: Platform, user: Resource) -> Sourced[int] | None:
    named = brokers.cluster_named(
        brokers.clusters(platform), str(user.labels.get("strimzi.io/cluster") or ""), user.path
    )
    stated = named.brokers if named is not None else None
    return stated or stated_count(platform.facts.get("kafka.brokers"))
