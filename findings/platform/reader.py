"""Files in, Platform out. Every file is read or listed as skipped, and none ends the reading. PURE."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from findings.platform import (
    comments,
    compose,
    dockerfile,
    kafka,
    knative,
    kubernetes,
    provider_kubernetes,
    python_source,
    scaling,
    settings,
    terraform,
    versions,
)
from findings.platform import facts as facts_of_people
from findings.platform.comments import Comment
from findings.platform.config_files import ConfigFile
from findings.platform.files import DATA, File, Skipped
from findings.platform.model import Block, Call, Platform, Resource, Setting
from findings.platform.nearness import Nearness
from findings.platform.uncollected import uncollected
from findings.platform.yaml_reader import TEMPLATE, Broken, Map, Seq, read_json
from findings.platform.yaml_reader import read as read_yaml
from platform_risk.quantities.sourced import Facts

OTHER_FACTS = "the facts are those of"
NO_KIND = "no kind of file that is read here"
# A scan holds all that it reads: a hundred megabytes of what kubectl prints, in less than a gigabyte.
MOST_VALUES = 4_000_000
MOST_OF_PYTHON = 1_000_000  # characters: a tree of it takes hundreds of bytes for each
MOST_SETTINGS, MOST_OF_A_FILE = 500_000, 100_000  # more in one file is data
FACTS_NAMES = ("platform-risk.yaml", "platform-risk.yml")
_DOCKERFILE = re.compile(r"(?:.*[./])?(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?\Z")
_TO_FILL_IN = re.compile(r"\.(?:sed|tmpl|tpl|template|example|sample|dist|in)\Z")  # api.yaml.example: read as it is
_CONFIG_ENDS = ("toml", "properties", "env", "ini", "cfg", "conf")
_ENDS = ("yaml", "yml", "json", "py", "tf", "tfvars", *_CONFIG_ENDS)
_LOCKS = ("package-lock.json", "yarn.lock", "composer.lock", "poetry.lock", "pnpm-lock.yaml")


@dataclass
class _Found:
    resources: list[Resource] = field(default_factory=list)
    configs: list[ConfigFile] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    hcl: list[terraform.Parsed] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    suppressed: list[Comment] = field(default_factory=list)
    values: int = 0  # that are held at the most


@uncollected
def read(files: Iterable[File | Skipped], facts: File | None = None) -> Platform:
    """`facts` wins over a platform-risk.yaml among the files."""
    found = _Found()
    for file in files:
        if isinstance(file, Skipped):
            found.skipped.append(file)
        elif file.path.rpartition("/")[2] in FACTS_NAMES:
            _facts_beside(file, found)
        else:
            _read_if_it_fits(file, found)
    if facts is not None:
        _facts(facts, found)
    _sort(found)
    _without_older(found)
    return _assembled(found)


_TOO_MUCH = f"with it there are more than {MOST_VALUES // 1_000_000} million values: hand in less at a time"


def _read_if_it_fits(file: File, found: _Found) -> None:
    values = _weight(file)
    if found.values + values > MOST_VALUES:
        found.skipped.append(Skipped(file.path, _TOO_MUCH))
        return
    found.values += values
    try:
        _read(file, found)
    except RecursionError:
        found.skipped.append(Skipped(file.path, "nested too deeply to be read"))


def _weight(file: File) -> int:
    """At the most so many values are in it. Of Terraform each holds on to several nodes of the grammar."""
    marks = sum(map(file.text.count, "\n,[{"))
    return 4 * marks if file.path.endswith((".tf", ".tfvars")) else marks


def _sort(found: _Found) -> None:
    """By path, and within a file as it stands there: files that come in another order make the same platform."""
    found.resources.sort(key=lambda each: each.path)
    found.configs.sort(key=lambda each: each.path)
    found.settings.sort(key=lambda each: each.value.place.path)
    found.calls.sort(key=lambda each: each.place.path)
    found.blocks.sort(key=lambda each: each.path)
    found.hcl.sort(key=lambda each: each.path)
    found.suppressed.sort(key=lambda each: each.path)


def _without_older(found: _Found) -> None:
    """Without manifests of which a newer version stands beside them."""
    told = versions.told({each.path for each in found.resources})
    if not told:
        return
    listed: list[tuple[str, Any]] = [(each.path, each.body) for each in found.resources]
    listed += [(each.path, each.root) for each in found.configs]
    kustomizations = [each for each in listed if each[0].rpartition("/")[2] in kubernetes.KUSTOMIZATIONS]
    older = versions.older([each for each in found.resources if each.path in told], kustomizations)
    if not older:
        return
    found.skipped += (Skipped(path, f"{versions.OLDER} {newest}") for path, newest in older.items())
    found.read = [each for each in found.read if each not in older]
    found.resources = [each for each in found.resources if each.path not in older]
    found.configs = [each for each in found.configs if each.path not in older]
    found.suppressed = [each for each in found.suppressed if each.path not in older]


def _facts_beside(file: File, found: _Found) -> None:
    """Of several, the one nearest to the top counts."""
    held = found.facts.path
    if held and _nearness(held) <= _nearness(file.path):
        found.skipped.append(Skipped(file.path, f"{OTHER_FACTS} {held}"))
        return
    _facts(file, found)
    if held and found.facts.path != held:
        found.read.remove(held)
        found.skipped.append(Skipped(held, f"{OTHER_FACTS} {file.path}"))


def _nearness(path: str) -> tuple[int, str]:
    return path.count("/"), path


def _facts(file: File, found: _Found) -> None:
    documents = list(read_yaml(file.text))
    broken = next((each for each in documents if isinstance(each, Broken)), None)
    root = documents[0].root if documents and broken is None and not isinstance(documents[0], Broken) else None
    if not isinstance(root, Map):
        reason = broken.reason if broken else "facts are a mapping"
        found.skipped.append(Skipped(file.path, reason, broken.line if broken else 1))
        return
    lines: dict[str, int] = {}

    def note(node: Map, prefix: str) -> None:
        for key, value in node.items():
            lines[prefix + key] = node.lines[key]
            if isinstance(value, Map):
                note(value, f"{prefix}{key}.")

    note(root, "")
    tree, wrong = facts_of_people.taken(root)
    found.skipped += (Skipped(file.path, reason, lines.get(name)) for name, reason in wrong)
    found.facts = Facts(tree, file.path, lines)
    found.read.append(file.path)


def _read(file: File, found: _Found) -> None:
    if "platform-risk:" in file.text:
        asked, not_read = comments.read(file)
        found.suppressed += asked
        found.skipped += not_read
    name, stem, end = _parts(file.path)
    if name in _LOCKS:
        found.skipped.append(Skipped(file.path, "a lock file"))
    elif end in ("yaml", "yml", "json"):
        _documents(file, found)
    elif end == "py":
        _python(file, found)
    elif end in ("tf", "tfvars"):
        parsed_file = terraform.parse(file.text, file.path)
        found.hcl.append(parsed_file)
        found.skipped += parsed_file.skipped
        if not any(each.reason == TEMPLATE for each in parsed_file.skipped):
            found.read.append(file.path)
    elif _DOCKERFILE.match(file.path):
        root, stated = dockerfile.read(file.text, file.path)
        found.configs.append(ConfigFile(file.path, root))
        found.settings += stated
        found.read.append(file.path)
    elif end in _CONFIG_ENDS or name.startswith(".env"):
        parsed = settings.parsed(file.text, stem)
        if parsed is None:
            found.skipped.append(Skipped(file.path, f"no valid {end or 'configuration'}"))
        else:
            found.configs.append(ConfigFile(file.path, parsed))
            found.read.append(file.path)
    else:
        found.skipped.append(Skipped(file.path, NO_KIND))


def _parts(path: str) -> tuple[str, str, str]:
    """A file's name, the same without what says that it is to be filled in, and how that ends."""
    name = path.rpartition("/")[2]
    stem = _TO_FILL_IN.sub("", name)
    return name, stem, stem.rpartition(".")[2].lower() if "." in stem else ""


def is_read(path: str) -> bool:
    """Whether a file of this name is of a kind that is read, if it is what its name says."""
    name, _, end = _parts(path)
    return end in _ENDS or name.startswith(".env") or _DOCKERFILE.match(path) is not None


def _documents(file: File, found: _Found) -> None:
    used = False
    is_json = file.path.endswith(".json")
    for each in read_json(file.text) if is_json else read_yaml(file.text):
        if isinstance(each, Broken):
            reason = each.reason.replace("not YAML", "not JSON") if is_json else each.reason
            found.skipped.append(Skipped(file.path, reason, each.line))
            continue
        used = True
        if terraform.is_plan(each.root):
            found.blocks += terraform.of_plan(each.root, file.path)
            continue
        if file.path.endswith((".tf.json", ".tfvars.json")) and isinstance(each.root, Map):
            found.hcl.append(terraform.of_json(each.root, file.path))
            continue
        if kubernetes.is_template(each.root):
            found.skipped.append(Skipped(file.path, TEMPLATE, each.line))
            continue
        objects = list(kubernetes.resources(each.root, file.path))
        found.resources += objects
        if not objects and isinstance(each.root, Map | Seq):
            found.configs.append(ConfigFile(file.path, each.root))
    if used:
        found.read.append(file.path)
    elif not any(each.path == file.path for each in found.skipped):
        found.skipped.append(Skipped(file.path, "empty"))


def _python(file: File, found: _Found) -> None:
    if len(file.text) > MOST_OF_PYTHON:
        found.skipped.append(Skipped(file.path, f"larger than {MOST_OF_PYTHON // 1_000_000} MB of Python"))
        return
    outcome = python_source.read(file.text, file.path)
    if isinstance(outcome, str):
        found.skipped.append(Skipped(file.path, outcome))
        return
    stated, calls = outcome
    found.settings += stated
    found.calls += calls
    found.read.append(file.path)


def _assembled(found: _Found) -> Platform:
    blocks, beyond = terraform.blocks(found.hcl)
    found.skipped += beyond
    made = provider_kubernetes.resources((*found.blocks, *blocks))
    resources = kubernetes.placed((*found.resources, *made), found.configs)
    holding = ("ConfigMap", "Secret", *kubernetes.VALUED)
    for resource in (each for each in resources if each.kind in holding):
        for name, text, line in kubernetes.embedded(resource):
            # A block scalar's text begins on the line after its key.
            root: Any = settings.parsed(text, name, offset=line)
            if root is not None:
                found.configs.append(ConfigFile(resource.path, root, resource))
        for values, at in kubernetes.values_of(resource):
            root = settings.parsed(values, "values.yaml", offset=at or 0) if isinstance(values, str) else values
            if isinstance(root, Map):
                found.configs.append(ConfigFile(resource.path, root, resource))
    changed = kubernetes.replicas_changed(resources, found.configs)
    near = Nearness(found.read)
    workloads = tuple(kubernetes.workloads(resources, near, changed))
    composed = compose.read(found.configs)
    flat = list(found.settings)
    for config in found.configs:
        if id(config) in composed.files:
            continue
        if max(config.root.size, len(config.root)) > MOST_OF_A_FILE or len(flat) > MOST_SETTINGS:
            reason = f"{DATA}: more than {MOST_OF_A_FILE:,} values, or one of many large files"
            found.skipped.append(Skipped(config.path, reason))
        else:
            flat += settings.of_config(config)
    of_workloads = [each for one in (*workloads, *composed.services) for each in settings.of_workload(one)]
    flat += settings.of_config_maps(resources, of_workloads)
    flat += of_workloads
    platform = Platform(
        resources=resources,
        workloads=workloads,
        compose_services=composed.services,
        autoscalers=(
            *kubernetes.autoscalers(resources),
            *knative.autoscalers(resources, near),
            *scaling.autoscalers(found.configs),
        ),
        blocks=(*found.blocks, *blocks),
        configs=tuple(found.configs),
        settings=tuple(flat),
        calls=tuple(found.calls),
        facts=found.facts,
        files_read=tuple(found.read),
        near=near,
        skipped=tuple(found.skipped),
        comments=tuple(found.suppressed),
    )
    if any(kafka.kafka_trigger(each) is not None for each in platform.autoscalers):
        return replace(platform, autoscalers=kafka.capped(platform))
    return platform
