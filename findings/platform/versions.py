"""Manifests that a folder keeps in several versions: the newest counts, unless something names another. PURE.

`calico-v3.30.3.yaml` beside `calico-v3.31.2.yaml`, or the same below a folder of a version. Where they hold the same
objects, no cluster has both.
"""

import re
from collections.abc import Iterable
from posixpath import dirname, join, normpath

from findings.platform.kubernetes import TEMPLATES
from findings.platform.model import Resource
from findings.platform.nodes import items

OLDER = "an older version of"
# Not of four parts, which is an address; one number alone may tell two clusters apart.
_VERSION = re.compile(r"(?<![\w.])v?(\d{1,9}(?:\.\d{1,9}){1,2})(?![\w]|\.\d)")
_Object = tuple[str, str, str]


def told(paths: Iterable[str]) -> set[str]:
    """The paths that tell a version."""
    return {path for path in paths if _VERSION.search(path)}


def older(resources: Iterable[Resource], kustomizations: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Files of an older version, each with the file of the newest one, of objects in files whose path tells one.
    `kustomizations`: their paths and roots."""
    held: dict[str, set[_Object]] = {}
    running: dict[str, set[_Object]] = {}
    for each in resources:
        of_kind = running if each.kind in TEMPLATES else held
        of_kind.setdefault(each.path, set()).add((each.kind, each.namespace, each.name))
    versions: dict[str, list[str]] = {}
    for path in sorted({*held, *running}):
        versions.setdefault(_VERSION.sub("", path), []).append(path)
    named = {
        normpath(join(dirname(path), str(each))) for path, root in kustomizations for each in items(root, "resources")
    }
    found: dict[str, str] = {}
    for paths in versions.values():
        newest = max(paths, key=_version)
        if not named.isdisjoint(paths):
            continue
        for path in paths:
            # What runs tells: other objects come and go with the versions.
            objects = running if path in running else held
            if path != newest and objects[path] <= objects.get(newest, set()):
                found[path] = newest
    return found


def _version(path: str) -> list[list[int]]:
    return [[int(part) for part in each.split(".")] for each in _VERSION.findall(path)]
