"""Which images run, which rules say what may run, and which rules verify signatures. PURE."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from findings.platform import admission, signers
from findings.platform.admission import DENIES, Enforcement
from findings.platform.config_files import ConfigFile
from findings.platform.model import Platform, Resource, Workload
from findings.platform.nodes import items, mapping
from findings.platform.yaml_reader import Map, Seq
from platform_risk.quantities.records import record
from platform_risk.quantities.sourced import Place

_MOST_DEPTH = 60


@dataclass(frozen=True)
class Pattern:
    """One registry or repository that a rule names, as a glob."""

    glob: str
    place: Place

    def matches(self, image: str) -> bool:
        return any(fnmatchcase(each, self.glob) for each in (image, full_name(image)))

    @property
    def has_open_segment(self) -> bool:
        """`*/fips-*`: whoever owns any registry or folder can push what it matches."""
        return any("*" in part for part in self.glob.split("/")[:-1])

    @property
    def witness(self) -> str:
        """An image that it matches."""
        return self.glob.replace("*", "x/x").replace("?", "x")


@dataclass(frozen=True)
class AllowList:
    """A rule that trusts images by name."""

    subject: str
    patterns: tuple[Pattern, ...]
    place: Place
    namespaces: tuple[str, ...] = ()  # empty: all
    excluded: tuple[str, ...] = ()
    is_readable: bool = True  # False: it selects by what is not read here, so it is judged against no image
    enforcement: Enforcement = DENIES

    def applies(self, workload: Workload) -> bool:
        namespace = workload.resource.namespace or "default"
        if self.namespaces and not any(fnmatchcase(namespace, each) for each in self.namespaces):
            return False
        return not any(fnmatchcase(namespace, each) for each in self.excluded)

    def admits(self, image: "Image") -> bool:
        return any(each.matches(image.reference) for each in self.patterns)


@dataclass(frozen=True)
class SignatureRule:
    """A rule that lets an image run only with a signature or attestation of somebody named."""

    subject: str
    patterns: tuple[Pattern, ...]
    place: Place
    takes_anybody: bool = False  # what it accepts can be signed by whoever has an account, so it proves nothing
    enforcement: Enforcement = DENIES

    def names(self, image: str) -> bool:
        return any(pattern.matches(image) for pattern in self.patterns)

    def covers(self, image: str) -> bool:
        """Whether it keeps the image out without a signature, where no override says otherwise."""
        return self.enforcement.denies and not self.takes_anybody and self.names(image)

    def covers_in(self, image: str, namespace: str) -> bool:
        return self.enforcement.denies_in(namespace) and not self.takes_anybody and self.names(image)


@record(frozen=True)
class Image:
    reference: str
    workload: Workload
    place: Place

    @property
    def has_digest(self) -> bool:
        return "@sha256:" in self.reference


def full_name(image: str) -> str:
    """With the registry that is meant where none is written: docker.io/library/redis:alpine."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def images(platform: Platform) -> list[Image]:
    """Every image of every container, init containers too. Templates that are not filled in are none."""
    return [
        Image(container.image.value, workload, container.image.place)
        for workload in platform.workloads
        for container in workload.containers
        if container.image is not None and re.fullmatch(r"[\w./:@-]+", container.image.value)
    ]


def distinct(found: list[Image]) -> list[Image]:
    """Each reference once, where it stands first."""
    return list({each.reference: each for each in reversed(found)}.values())[::-1]


def allow_lists(platform: Platform) -> Iterator[AllowList]:
    for resource in platform.of_kind("ClusterPolicy", "Policy"):
        if "kyverno.io" in resource.api:
            yield from _kyverno(resource)
    for resource in platform.of_kind("K8sAllowedRepos", "K8sAllowedReposv2"):
        yield from _gatekeeper(resource)
    for resource in platform.of_kind("ValidatingAdmissionPolicy"):
        yield from _expressions(resource, admission.bindings(platform, resource))
    for resource in platform.of_kind("ValidatingPolicy"):
        yield from _expressions(resource, admission.actions(resource))
    for config in platform.configs:
        if "message" in config.keys:
            yield from _messages(config, config.root)


def _kyverno(resource: Resource) -> Iterator[AllowList]:
    for rule in items(resource.body, "spec.rules"):
        if not isinstance(rule, Map):
            continue
        validate = mapping(rule, "validate")
        patterns = [each for name in ("pattern", "anyPattern") for each in _patterns(resource, validate.get(name))]
        unique = {each.glob: each for each in patterns}
        if unique:
            wanted, plain = _namespaces(rule, "match")
            if resource.kind == "Policy":  # of its own namespace alone
                wanted = (resource.namespace or "default",)
            excluded, plain_too = _namespaces(rule, "exclude")
            yield AllowList(
                resource.id, tuple(unique.values()), resource.place(rule.line), wanted, excluded, plain and plain_too,
                admission.kyverno(resource, rule),
            )  # fmt: skip


def _patterns(resource: Resource, node: Any, depth: int = 0) -> Iterator[Pattern]:
    """Globs of `image:` anywhere below a pattern, alternatives apart. Those about tags and digests are none."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(node, Map):
        for key, value in node.items():
            if key.strip("=()^+<>X") == "image" and isinstance(value, str):
                for part in value.split("|"):
                    if _is_registry(part.strip()):
                        yield Pattern(part.strip(), resource.place(node.lines[key]))
            else:
                yield from _patterns(resource, value, depth + 1)
    elif isinstance(node, Seq):
        for value in node:
            yield from _patterns(resource, value, depth + 1)


def _is_registry(glob: str) -> bool:
    return "/" in glob and not glob.startswith("!") and "{{" not in glob and glob.strip("*/") != ""


def _namespaces(rule: Map, name: str) -> tuple[tuple[str, ...], bool]:
    """(namespaces, whether that is all it says) of a rule's match or exclude."""
    found: list[str] = []
    plain = True
    section = mapping(rule, name)
    parts = [*items(section, "any"), *items(section, "all"), section]
    for part in parts:
        resources = mapping(part, "resources")
        found += [str(each) for each in items(resources, "namespaces")]
        plain = plain and set(resources) <= {"kinds", "namespaces", "operations"} and "subjects" not in mapping(part)
    return tuple(found), plain


def _gatekeeper(resource: Resource) -> Iterator[AllowList]:
    parameters = mapping(resource.body, "spec.parameters")
    repos = parameters.get("repos", parameters.get("allowedImages"))
    if not isinstance(repos, Seq):
        return
    globs = [
        Pattern(str(each) if "*" in str(each) else f"{each}*", resource.place(line))
        for each, line in zip(repos, repos.lines, strict=True)
        if isinstance(each, str) and each
    ]
    match = mapping(resource.body, "spec.match")
    wanted = tuple(str(each) for each in items(match, "namespaces"))
    excluded = tuple(str(each) for each in items(match, "excludedNamespaces"))
    plain = not {"labelSelector", "namespaceSelector", "name"} & set(match)
    if globs:
        enforcement = admission.gatekeeper(resource)
        yield AllowList(
            resource.id, tuple(globs), resource.place(parameters.line), wanted, excluded, plain, enforcement
        )


_STARTS_WITH = re.compile(r"""image\w*\.startsWith\(\s*['"]([^'"]{1,300})['"]\s*\)""")


def _expressions(resource: Resource, enforcement: Enforcement) -> Iterator[AllowList]:
    """CEL that asks how an image's name begins."""
    globs: list[Pattern] = []
    for each in items(resource.body, "spec.validations"):
        text = each.get("expression") if isinstance(each, Map) else None
        if isinstance(text, str):
            globs += (
                Pattern(f"{found}*", resource.place(each.lines["expression"])) for found in _STARTS_WITH.findall(text)
            )
    if globs:
        yield AllowList(resource.id, tuple(globs), globs[0].place, is_readable=False, enforcement=enforcement)


_NAMED = re.compile(r"(?<![\w./-])((?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?(?:/[a-z0-9._-]+)+/?)(\*?)", re.IGNORECASE)


def _messages(config: ConfigFile, node: Any, depth: int = 0) -> Iterator[AllowList]:
    """A policy's message without its policy: the registries that it tells people to use."""
    if depth > _MOST_DEPTH:
        return
    if isinstance(node, Map):
        text = node.get("message")
        if isinstance(text, str) and len(text) < 2000 and re.search(r"\bimages?\b", text, re.IGNORECASE):
            place = config.place(node.lines["message"])
            found = tuple(Pattern(f"{name}*", place) for name, _ in _NAMED.findall(text))
            if found:
                subject = config.resource.id if config.resource else config.path
                yield AllowList(subject, found, place, is_readable=False)
        for value in node.values():
            yield from _messages(config, value, depth + 1)
    elif isinstance(node, Seq):
        for value in node:
            yield from _messages(config, value, depth + 1)


def signature_rules(platform: Platform) -> Iterator[SignatureRule]:
    for resource in platform.of_kind("ClusterPolicy", "Policy"):
        if "kyverno.io" not in resource.api:
            continue
        for rule in items(resource.body, "spec.rules"):
            for each in items(rule, "verifyImages") if _is_about_pods(rule) else ():
                if isinstance(each, Map) and _names_somebody(each):
                    globs = [*items(each, "imageReferences"), *([each["image"]] if "image" in each else [])]
                    enforcement = admission.kyverno(resource, rule)
                    yield _rule(resource, globs, each.line, enforcement, takes_anybody=signers.kyverno_anybody(each))
    for resource in platform.of_kind("ImageValidatingPolicy", "NamespacedImageValidatingPolicy"):
        spec = mapping(resource.body, "spec")
        if items(spec, "attestors"):
            globs = [each.get("glob") for each in items(spec, "matchImageReferences") if isinstance(each, Map)]
            yield _rule(resource, globs, spec.line, admission.actions(resource))
    for resource in platform.of_kind("ClusterImagePolicy", "ImagePolicy"):
        spec = mapping(resource.body, "spec")
        if items(spec, "authorities") or mapping(spec, "policy"):
            globs = [each.get("glob") for each in items(spec, "images") if isinstance(each, Map)]
            globs += items(spec, "scopes")
            anybody = signers.sigstore_anybody(items(spec, "authorities"))
            yield _rule(resource, globs, spec.line, admission.sigstore(resource), takes_anybody=anybody)


_OF_PODS = frozenset(("Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "*"))


def _is_about_pods(rule: Any) -> bool:
    """Not where it matches other kinds only, whose images other fields name. Kyverno matches pods for workloads."""
    section = mapping(rule, "match")
    parts = [*items(section, "any"), *items(section, "all"), section]
    kinds = [str(kind) for part in parts for kind in items(mapping(part, "resources"), "kinds")]
    return not kinds or any(kind.rpartition("/")[2] in _OF_PODS for kind in kinds)


def _names_somebody(rule: Map) -> bool:
    """Without a key, an identity or an attestation there is nothing to verify."""
    attestations = any(isinstance(each, Map) and items(each, "attestors") for each in items(rule, "attestations"))
    return bool(items(rule, "attestors") or attestations or rule.get("key") or rule.get("issuer"))


def _rule(
    resource: Resource, globs: list[Any], line: int, enforcement: Enforcement, *, takes_anybody: bool = False
) -> SignatureRule:
    patterns = []
    for each in globs:
        if isinstance(each, str) and each:
            # Sigstore writes ** for any depth; a scope without a star is a prefix.
            glob = each.replace("**", "*")
            patterns.append(Pattern(glob if "*" in glob else f"{glob}*", resource.place(line)))
    return SignatureRule(resource.id, tuple(patterns), resource.place(line), takes_anybody, enforcement)
