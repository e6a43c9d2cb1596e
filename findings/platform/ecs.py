"""Tasks of Amazon ECS: what their containers are told, and how many of them run at the most. PURE.

Of Terraform, with the service that runs a task and the target that scales the service, and of task definitions as files
of their own. They are no pods: a check that means them asks for them.
Sources: Amazon ECS, task definition parameters, service definition parameters (maximumPercent is 200 unless stated);
Terraform provider aws, aws_ecs_service (desired_count is 0 unless stated) and aws_appautoscaling_target.
"""

from collections.abc import Callable, Iterator
from typing import Any

from findings.platform.model import Block, Container, EnvVar, Platform, Resource, Workload, all_once
from findings.platform.nodes import items
from findings.platform.units import stated_count, stated_text
from findings.platform.yaml_reader import Document, Map, Seq, read
from platform_risk.quantities.sourced import Place, Source, Sourced, Unknown

KIND = "EcsTask"


def definitions(stated: Sourced[Any] | Unknown | None) -> list[Map]:
    """The containers of a task, which stand there as JSON; parts that are not known are …."""
    text = stated.partial if isinstance(stated, Unknown) else stated.value if stated is not None else None
    root = (
        next((each.root for each in read(text) if isinstance(each, Document)), None) if isinstance(text, str) else None
    )
    return [each for each in root if isinstance(each, Map)] if isinstance(root, Seq) else []


@all_once
def tasks(platform: Platform) -> Iterator[Workload]:
    for block in platform.terraform("aws_ecs_task_definition"):
        stated = block.get("container_definitions")
        place = stated.place if isinstance(stated, Sourced) else block.place()
        nodes = definitions(stated)
        if nodes:
            family = stated_text(block.get("family")) or block.labels[-1]
            resource = Resource(KIND, "", "", family, Map(0), block.path, block.line)
            containers = tuple(_container(each, _always(place)) for each in nodes)
            yield Workload(resource, Map(0), containers, _most(platform, block, family))
    for config in platform.configs:
        if "containerDefinitions" in config.keys:
            nodes = [each for each in items(config.root, "containerDefinitions") if isinstance(each, Map)]
            named = config.at("family")
            if nodes and named is not None:
                resource = Resource(KIND, "", "", str(named.value), Map(0), config.path, named.place.line or 1)
                containers = tuple(_container(each, config.place) for each in nodes)
                yield Workload(resource, Map(0), containers, _unknown(resource.name, resource.place()))


_PlaceOf = Callable[[int | None], Place]  # of a line


def _always(place: Place) -> _PlaceOf:
    """Of JSON within Terraform, whose lines mean nothing."""
    return lambda _: place


def _container(node: Map, place: _PlaceOf) -> Container:
    env: dict[str, EnvVar] = {}
    for each in items(node, "environment"):
        if isinstance(each, Map) and "…" not in str(each.get("value")):
            name, at = str(each.get("name")), place(each.lines.get("value"))
            env[name] = EnvVar(name, Sourced(str(each.get("value")), Source.FILE, at), at)
    for each in items(node, "secrets"):
        if isinstance(each, Map):
            name, at = str(each.get("name")), place(each.lines.get("valueFrom"))
            env[name] = EnvVar(name, None, at, secret=str(each.get("valueFrom")))
    image = node.get("image")
    told = Sourced(str(image), Source.FILE, place(node.lines.get("image"))) if image else None
    return Container(str(node.get("name") or ""), told, env, (), node)


def _most(platform: Platform, task: Block, family: str) -> Sourced[int] | Unknown:
    """As many as the service that runs it may be scaled to, else as many as it is to have."""
    service = next((each for each in platform.terraform("aws_ecs_service") if _runs(each, task)), None)
    if service is None:
        return _unknown(family, task.place())
    target = next((each for each in platform.terraform("aws_appautoscaling_target") if _scales(each, service)), None)
    stated = target.get("max_capacity") if target is not None else service.get("desired_count")
    if isinstance(stated, Unknown):
        return stated
    note = "Terraform: desired_count defaults to 0"
    return stated_count(stated) or Sourced(0, Source.PROVIDER_DEFAULT, service.place(), note)


def _runs(service: Block, task: Block) -> bool:
    return service.refers_to(task, "task_definition")


def _scales(target: Block, service: Block) -> bool:
    name = stated_text(service.get("name"))
    named = stated_text(target.get("resource_id")).rpartition("/")[2]
    return target.refers_to(service, "resource_id") or bool(name and named == name)


def _unknown(family: str, place: Place) -> Unknown:
    return Unknown(f"how many tasks of {family} run is not stated", f"facts: services.{family}.max_pods", place)


def surge(platform: Platform, task: Workload, most: int) -> Sourced[int]:
    """Tasks that a deployment starts before it ends the old ones."""
    for block in platform.terraform("aws_ecs_task_definition"):
        if (block.path, block.line) == (task.resource.path, task.resource.line):
            service = next((each for each in platform.terraform("aws_ecs_service") if _runs(each, block)), None)
            percent = stated_count(service.get("deployment_maximum_percent")) if service is not None else None
            if percent is not None:
                return percent.map(lambda value: most * max(value - 100, 0) // 100)
    note = "Amazon ECS: maximumPercent defaults to 200"
    return Sourced(most, Source.PROVIDER_DEFAULT, task.resource.place(), note)


def is_task(workload: Workload) -> bool:
    return workload.resource.kind == KIND
