"""How Knative, and Cloud Run in its shape, scale a service by its requests. PURE.

Sources: Knative, autoscaling: scale bounds (min-scale and max-scale, 0 unless stated: no pod is kept, and nothing
bounds how many there are), Knative Pod Autoscaler (stable-window 60s, panic-window-percentage 10, max-scale-up-rate
1000: the ratio of desired to existing pods in one evaluation cycle), supported autoscaler types. Cloud Run: maximum
instances, of the revision and of the service.
"""

from collections.abc import Iterable, Iterator, Sequence

from findings.platform.model import Autoscaler, Platform, Resource
from findings.platform.nearness import Nearness
from findings.platform.nodes import mapping
from findings.platform.units import seconds, stated_count, stated_number
from findings.platform.yaml_reader import Map
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Source, Sourced, Unknown

CYCLE = 2  # seconds between two decisions. Source: Knative, Knative Pod Autoscaler: tick-interval
_PREFIX = "autoscaling.knative.dev/"
_OF_GOOGLE = "run.googleapis.com/"
_HPA = "hpa.autoscaling.knative.dev"


@record(frozen=True, slots=True)
class Pace:
    """How fast Knative Pod Autoscaler follows requests that rise at once."""

    window: Sourced[float]  # seconds over which it takes their mean, in panic
    percentage: Sourced[float]  # of the window
    rate: Sourced[float]  # pods that it asks for in one cycle, to those that there are

    @property
    def seconds(self) -> float:
        """Until the mean has risen: panic window = stable window × percentage."""
        return self.window.value * self.percentage.value / 100


def is_knative(resource: Resource) -> bool:
    """Whether it is a Service of Knative or Cloud Run, which runs pods and is no Service of Kubernetes."""
    return resource.kind == "Service" and resource.api.startswith("serving.knative.dev/")


def is_cloud_run(resource: Resource) -> bool:
    """Whether Google runs it: its annotations or labels say so."""
    named = (resource.annotations, resource.labels, _notes(resource))
    return any(key.startswith((_OF_GOOGLE, "cloud.googleapis.com/")) for each in named for key in each)


def autoscalers(found: Sequence[Resource], near: Nearness) -> Iterator[Autoscaler]:
    services = [each for each in found if is_knative(each)]
    configs = _configs(found) if services else []
    for resource in services:
        config = _beside(resource, configs, near)
        low = _count(resource, config, "min-scale")
        high = _count(resource, config, "max-scale")
        if low is None:
            low = Sourced(0, Source.PROVIDER_DEFAULT, resource.place(), "Knative: min-scale is 0")
        maximum: Sourced[int] | Unknown | None = high if high is not None and high.value else None
        if maximum is None:
            starter = "Cloud Run" if is_cloud_run(resource) else "Knative"
            reason = f"nothing here bounds how many pods {starter} starts of it"
            maximum = Unknown(reason, f"the annotation {_PREFIX}max-scale", resource.place())
        yield Autoscaler(resource, resource.id, low, maximum, resource.place(), mapping(resource.body, "spec"))


def pace(platform: Platform, resource: Resource) -> Pace | None:
    """None where its pods are scaled by a HorizontalPodAutoscaler, which Knative makes without a behaviour."""
    config = _beside(resource, _configs(platform.of_kind("ConfigMap", "KnativeServing")), platform.near)
    stated = _stated(resource, config, "class", "pod-autoscaler-class")
    if stated is not None and stated.value == _HPA:
        return None

    def taken(annotation: str, key: str, default: float, *, is_time: bool = False) -> Sourced[float]:
        found = _stated(resource, config, annotation, key)
        if found is not None:
            value = found.map(seconds) if is_time else found
            count = stated_number(value)
            if count is not None and count.value > 0:
                return count
        note = f"Knative: {key} is {default:g}{' s' if is_time else ''}"
        return Sourced(default, Source.PROVIDER_DEFAULT, resource.place(), note)

    return Pace(
        taken("window", "stable-window", 60, is_time=True),
        taken("panic-window-percentage", "panic-window-percentage", 10),
        taken("", "max-scale-up-rate", 1000),
    )


@record(frozen=True, slots=True)
class _Config:
    """What holds for all services of a cluster."""

    of: Resource
    data: Map


def _configs(found: Iterable[Resource]) -> list[_Config]:
    """config-autoscaler, or what the operator makes it of."""
    return [
        _Config(each, mapping(each.body, "data" if each.kind == "ConfigMap" else "spec.config.autoscaler"))
        for each in found
        if each.kind == "KnativeServing" or (each.kind == "ConfigMap" and each.name == "config-autoscaler")
    ]


def _beside(resource: Resource, configs: Sequence[_Config], near: Nearness) -> _Config | None:
    return near.beside(resource.path, configs, lambda each: each.of.path) if configs else None


def _notes(resource: Resource) -> Map:
    return mapping(resource.body, "spec.template.metadata.annotations")


def _stated(resource: Resource, config: _Config | None, annotation: str, key: str) -> Sourced[str] | None:
    """By its own annotation, also as it was spelled once (maxScale), else for the whole cluster."""
    notes = _notes(resource)
    head, *rest = annotation.split("-")
    for name in (annotation, head + "".join(word.capitalize() for word in rest)) if annotation else ():
        if notes.get(_PREFIX + name) is not None:
            place = resource.place(notes.lines[_PREFIX + name])
            return Sourced(str(notes[_PREFIX + name]), Source.FILE, place)
    if config is not None and config.data.get(key) is not None:
        return Sourced(str(config.data[key]), Source.FILE, config.of.place(config.data.lines[key]))
    return None


def _count(resource: Resource, config: _Config | None, name: str) -> Sourced[int] | None:
    """Of one revision, or of the service where Cloud Run is told so; the lower of two maxima."""
    own = stated_count(_stated(resource, config, name, name))
    key = f"{_OF_GOOGLE}{name.replace('-s', 'S')}"
    notes = mapping(resource.body, "metadata.annotations")
    line = notes.lines.get(key)
    of_service = stated_count(Sourced(notes.get(key), Source.FILE, resource.place(line)))
    known = [each for each in (own, of_service) if each is not None and each.value]
    if not known:
        return own or of_service
    return min(known, key=lambda each: each.value) if name == "max-scale" else max(known, key=lambda each: each.value)
