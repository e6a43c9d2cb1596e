"""SARIF 2.1.0 as far as it is read: typed, so that nothing else is ever built. PURE.

Names are the standard's; the numbers in comments are its sections. Everything is optional and may be null, since
real reports leave things out; what has the wrong type rejects the one result it stands in. `gc=False` as in records.
"""

from typing import Any

import msgspec


class Text(msgspec.Struct, gc=False):
    """message and multiformatMessageString, 3.11 and 3.12."""

    text: str | None = None
    markdown: str | None = None
    id: str | None = None
    arguments: list[str] | None = None


class ArtifactLocation(msgspec.Struct, gc=False, rename={"base": "uriBaseId"}):
    uri: str | None = None
    base: str | None = None
    index: int | None = None


class Region(msgspec.Struct, gc=False, rename={"start": "startLine", "end": "endLine"}):
    start: int | None = None
    end: int | None = None
    snippet: Text | None = None


class PhysicalLocation(msgspec.Struct, gc=False, rename={"artifact": "artifactLocation", "context": "contextRegion"}):
    artifact: ArtifactLocation | None = None
    region: Region | None = None
    context: Region | None = None


class LogicalLocation(msgspec.Struct, gc=False, rename={"full_name": "fullyQualifiedName"}):
    name: str | None = None
    full_name: str | None = None
    kind: str | None = None
    index: int | None = None


class Location(msgspec.Struct, gc=False, rename={"physical": "physicalLocation", "logical": "logicalLocations"}):
    physical: PhysicalLocation | None = None
    logical: list[LogicalLocation] | None = None
    message: Text | None = None


class ThreadFlowLocation(msgspec.Struct, gc=False):
    location: Location | None = None


class ThreadFlow(msgspec.Struct, gc=False):
    locations: list[ThreadFlowLocation] | None = None


class CodeFlow(msgspec.Struct, gc=False, rename={"threads": "threadFlows"}):
    threads: list[ThreadFlow] | None = None


class Suppression(msgspec.Struct, gc=False):
    kind: str | None = None
    status: str | None = None
    justification: str | None = None


class Component(msgspec.Struct, gc=False):
    """toolComponentReference, 3.54: which of a tool's components a rule is one of."""

    index: int | None = None
    name: str | None = None


class Reference(msgspec.Struct, gc=False, rename={"component": "toolComponent"}):
    """reportingDescriptorReference, 3.52."""

    id: str | None = None
    index: int | None = None
    component: Component | None = None


class Provenance(msgspec.Struct, gc=False, rename={"invocation": "invocationIndex"}):
    invocation: int | None = None


class Result(
    msgspec.Struct,
    gc=False,
    rename={
        "rule_id": "ruleId",
        "rule_index": "ruleIndex",
        "related": "relatedLocations",
        "flows": "codeFlows",
        "baseline": "baselineState",
        "partial": "partialFingerprints",
    },
):
    rule_id: str | None = None
    rule_index: int | None = None
    rule: Reference | None = None
    kind: str | None = None
    level: str | None = None
    message: Text | None = None
    locations: list[Location] | None = None
    related: list[Location] | None = None
    flows: list[CodeFlow] | None = None
    suppressions: list[Suppression] | None = None
    baseline: str | None = None
    fingerprints: dict[str, str] | None = None
    partial: dict[str, str] | None = None
    taxa: list[Reference] | None = None
    provenance: Provenance | None = None
    properties: dict[str, Any] | None = None


class Configuration(msgspec.Struct):
    level: str | None = None


class Descriptor(
    msgspec.Struct,
    rename={
        "short": "shortDescription",
        "full": "fullDescription",
        "help_uri": "helpUri",
        "configuration": "defaultConfiguration",
        "messages": "messageStrings",
    },
):
    """reportingDescriptor, 3.49: a rule."""

    id: str | None = None
    name: str | None = None
    short: Text | None = None
    full: Text | None = None
    help: Text | None = None
    help_uri: str | None = None
    configuration: Configuration | None = None
    messages: dict[str, Text] | None = None
    properties: dict[str, Any] | None = None


class ToolComponent(msgspec.Struct, rename={"semantic_version": "semanticVersion", "messages": "globalMessageStrings"}):
    name: str | None = None
    version: str | None = None
    semantic_version: str | None = None
    rules: list[Descriptor] | None = None
    messages: dict[str, Text] | None = None


class Tool(msgspec.Struct):
    driver: ToolComponent | None = None
    extensions: list[ToolComponent] | None = None


class Override(msgspec.Struct):
    descriptor: Reference | None = None
    configuration: Configuration | None = None


class Invocation(
    msgspec.Struct,
    rename={
        "successful": "executionSuccessful",
        "ended": "endTimeUtc",
        "overrides": "ruleConfigurationOverrides",
        "why": "exitCodeDescription",
    },
):
    successful: bool | None = None
    ended: str | None = None
    overrides: list[Override] | None = None
    why: str | None = None


class Artifact(msgspec.Struct, gc=False):
    location: ArtifactLocation | None = None


class AutomationDetails(msgspec.Struct):
    id: str | None = None


class VersionControl(msgspec.Struct):
    branch: str | None = None


class External(msgspec.Struct):
    results: list[msgspec.Raw] | None = None


class Run(
    msgspec.Struct,
    rename={
        "bases": "originalUriBaseIds",
        "logical": "logicalLocations",
        "automation": "automationDetails",
        "version_control": "versionControlProvenance",
        "external": "externalPropertyFileReferences",
    },
):
    """`results` stay raw bytes: each is decoded when its turn comes, so memory does not grow with the report."""

    tool: Tool | None = None
    results: list[msgspec.Raw] | None = None
    invocations: list[Invocation] | None = None
    artifacts: list[Artifact] | None = None
    bases: dict[str, ArtifactLocation] | None = None
    logical: list[LogicalLocation] | None = None
    automation: AutomationDetails | None = None
    version_control: list[VersionControl] | None = None
    external: External | None = None


class Log(msgspec.Struct):
    version: str | None = None
    runs: list[Run] | None = None
