"""Which resource a Checkov result is about, found alike in its two reports. PURE.

The JSON names the resource and (with `--compact`) quotes no code; the SARIF quotes the code and names no resource.
Both come to one spelling here: `Deployment.default.api` from a Kubernetes document, `aws_s3_bucket.logs` from a
Terraform block. What cannot be found in both (Dockerfile, workflows, CloudFormation …) stays out of the fingerprint.
"""

import re

_MOST = 20_000  # characters of a snippet that are looked at
_BLOCK = re.compile(r'\s*(resource|data|module|provider)\s+"([^"\n]{1,200})"(?:\s+"([^"\n]{1,200})")?')
_ALIAS = re.compile(r'^\s*alias\s*=\s*"([^"\n]{1,200})"', re.MULTILINE)
_KIND = re.compile(r"([ -]*)kind:[ ]*[\"']?([A-Za-z]{1,100})")
_ENTRY = re.compile(r"([ -]*)(name|namespace|metadata):[ ]*(.{0,300})")
_INDEX = re.compile(r"\[[^\]]{0,200}\]")
_MODULES = re.compile(r"(?:module\.[^.]+\.)+")
# These look at the pods a workload makes: JSON calls it `Pod.<namespace>.<workload>.<labels>`.
_ABOUT_PODS = {"CKV2_K8S_6"}
_YAML = (".yaml", ".yml")


def in_code(snippet: str, rule: str) -> str:
    """The resource that a quoted block declares, "" when it is none of those we read."""
    snippet = snippet[:_MOST]
    block = _BLOCK.match(snippet)
    if block is None:
        return _in_document(snippet, rule)
    kind, first, second = block.groups()
    if kind == "provider":
        alias = _ALIAS.search(snippet)
        return f"{first}.{alias[1] if alias else 'default'}"
    return f"{first}.{second}" if second else first


def as_named(resource: str, rule: str, framework: str, path: str) -> str:
    """The resource that the JSON names, in the spelling of `in_code`; "" where the code would not tell."""
    if framework == "terraform":
        return _MODULES.sub("", _INDEX.sub("", resource), count=1)
    if framework not in ("kubernetes", "helm", "kustomize") or not path.lower().endswith(_YAML):
        return ""
    parts = resource.split(".")
    if rule in _ABOUT_PODS and len(parts) > 3:
        return ".".join(["Pod", *parts[1:3]])
    return resource if len(parts) >= 3 else ""


def namespace_of(resource: str) -> str:
    """Of a Kubernetes resource as spelled here. Terraform's have no capital letter in front."""
    parts = resource.split(".", 2)
    return parts[1] if len(parts) == 3 and parts[0][:1].isupper() else ""


def _in_document(snippet: str, rule: str) -> str:
    """kind, namespace and name of the (first) Kubernetes document, line by line: no YAML parser on a hostile text."""
    kind, name, namespace = "", "", "default"
    outer = inner = -1  # how far the document and the entries of its metadata are indented
    in_metadata = False
    for line in snippet.splitlines():
        if line.startswith("---") and kind:
            break
        found = _KIND.match(line)
        if found is not None and not kind:
            kind, outer = found[2], len(found[1])
        entry = _ENTRY.match(line)
        indent = len(entry[1]) if entry is not None else len(line) - len(line.lstrip(" -"))
        if line.strip() and indent <= max(outer, 0) and in_metadata:
            in_metadata = False
        if entry is None:
            if in_metadata and inner < 0 and line.strip():
                inner = indent
            continue
        key, value = entry[2], entry[3].split(" #")[0].strip().strip("\"'")
        if key == "metadata" and not value and inner < 0 and (outer < 0 or indent == outer):
            in_metadata, outer = True, indent
        elif in_metadata:
            inner = indent if inner < 0 else inner
            if indent == inner and value:
                name, namespace = (value, namespace) if key == "name" else (name, value)
    if not kind or not name:
        return ""
    return f"{'Pod' if rule in _ABOUT_PODS else kind}.{namespace}.{name}"
