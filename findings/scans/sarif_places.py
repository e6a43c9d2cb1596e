"""Where a SARIF result is: paths below relative bases, excerpts, related places. PURE."""

from findings.scans import bounds
from findings.scans.records import Related
from findings.scans.sarif_shape import (
    ArtifactLocation,
    Location,
    LogicalLocation,
    PhysicalLocation,
    Region,
    Result,
    Run,
)

_MOST_CACHED = 20_000


class Paths:
    """One run's paths, relative to what the report calls its root (SARIF 2.1.0, 3.14.14).

    A chain of bases (SRCROOT below PROJECTROOT) is joined; the absolute one at its top is where the scanner happened
    to run, so it goes. A path that is given absolute loses the longest such root it begins with.
    """

    def __init__(self, run: Run) -> None:
        self._bases = run.bases or {}
        self._artifacts = run.artifacts or []
        self._cache: dict[tuple[str, str, int], str] = {}
        roots = (base.uri for base in self._bases.values() if base.uri and not base.base and _is_absolute(base.uri))
        self._roots = sorted({bounds.uri(root) + "/" for root in roots} - {"/"}, key=len, reverse=True)

    def of(self, place: ArtifactLocation | None) -> str:
        if place is None:
            return ""
        key = (place.uri or "", place.base or "", -1 if place.index is None else place.index)
        found = self._cache.get(key)
        if found is None:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            found = self._cache[key] = self._resolved(*key)
        return found

    def _resolved(self, uri: str, base: str, index: int) -> str:
        if not uri and 0 <= index < len(self._artifacts):
            artifact = self._artifacts[index].location
            if artifact is not None:
                uri, base = artifact.uri or "", artifact.base or base
        if not uri:
            return ""
        if _is_absolute(uri):
            path = bounds.uri(uri)
            root = next((root for root in self._roots if path.startswith(root)), "")
            return path[len(root) :]
        return bounds.uri("/".join((*self._prefixes(base), uri)))

    def _prefixes(self, base: str) -> list[str]:
        """The relative uris of a base and of those it rests on, outermost first. A circle ends the chain."""
        prefixes: list[str] = []
        seen: set[str] = set()
        while base in self._bases and base not in seen:
            seen.add(base)
            location = self._bases[base]
            if location.uri and not _is_absolute(location.uri):
                prefixes.insert(0, location.uri.rstrip("/"))
            base = location.base or ""
        return prefixes


def _is_absolute(uri: str) -> bool:
    return uri[:1] in ("/", "\\") or "://" in uri or uri[:5].lower() == "file:" or uri[1:3] in (":/", ":\\")


def excerpt_of(place: PhysicalLocation) -> tuple[str, int | None, str]:
    """What to show (with the lines around, where the report has them), its first line, and what was marked itself."""
    marked = _snippet(place.region)
    around = _snippet(place.context)
    shown = place.context if around else place.region
    first = bounds.number(shown.start) if shown is not None else None
    return bounds.text(around or marked, bounds.EXCERPT), first, marked or around


def _snippet(region: Region | None) -> str:
    return (region.snippet.text or "") if region is not None and region.snippet is not None else ""


# Kinds of logical locations that name a thing of the platform and not a symbol of the code.
_RESOURCE_KINDS = {"resource", "object", "element"}


def named(location: Location | None, run: Run) -> tuple[str, str]:
    """(resource, symbol) as the logical locations name them."""
    resource = symbol = ""
    for logical in (location.logical or ()) if location is not None else ():
        kind, name = _full(logical, run.logical or [])
        if kind in _RESOURCE_KINDS:
            resource = resource or name
        else:
            symbol = symbol or name
    return bounds.line(resource, bounds.NAME), bounds.line(symbol, bounds.NAME)


def _full(logical: LogicalLocation, known: list[LogicalLocation]) -> tuple[str, str]:
    index = logical.index
    if index is not None and 0 <= index < len(known):
        whole = known[index]
        kind = logical.kind or whole.kind or ""
        return kind, logical.full_name or whole.full_name or logical.name or whole.name or ""
    return logical.kind or "", logical.full_name or logical.name or ""


def related(result: Result, paths: Paths) -> tuple[Related, ...]:
    """Related places, then where each code flow begins: the first fifty, however many there are."""
    found: list[Related] = []
    for location in result.related or ():
        if len(found) >= bounds.MOST_RELATED:
            break
        _add(found, location, paths)
    for flow in (result.flows or ())[: bounds.MOST_RELATED]:
        for thread in (flow.threads or ())[:1]:
            for step in (thread.locations or ())[:1]:
                if step.location is not None and len(found) < bounds.MOST_RELATED:
                    _add(found, step.location, paths)
    return tuple(found)


def _add(found: list[Related], location: Location, paths: Paths) -> None:
    place = location.physical
    path = paths.of(place.artifact) if place is not None else ""
    line = bounds.number(place.region.start) if place is not None and place.region is not None else None
    message = bounds.line(location.message.text or "", bounds.TITLE) if location.message is not None else ""
    if path or message:
        found.append(Related(path, line, message))
